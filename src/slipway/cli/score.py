"""The command `slipway score`."""

from pathlib import Path

import click

from slipway.cli._options import command, json_option, show, stage
from slipway.settings import Settings
from slipway.types import Stage


@command(example="slipway score flight_delays tomorrow.csv scored.parquet")
@click.argument("name")
@click.argument("input_file", metavar="INPUT", type=click.Path(path_type=Path))
@click.argument("output_file", metavar="OUTPUT", type=click.Path(path_type=Path))
@click.option("--stage", "of", type=stage, default=Stage.PRODUCTION, show_default="Production", metavar="STAGE")
@json_option
def score(settings: Settings, name: str, input_file: Path, output_file: Path, of: Stage, as_json: bool) -> None:
    """Score a CSV or Parquet file with the version of a stage."""
    from slipway.workflows import score as workflow

    show(workflow.score(settings, name, input_file, output_file, of), as_json)
