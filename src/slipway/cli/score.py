"""The command `slipway score`."""

from pathlib import Path

import click

from slipway.cli._options import command, import_skops_first, json_option, show
from slipway.core.release.transitions import stage_named
from slipway.settings import Settings
from slipway.types import Stage


@command(example="slipway score flight_delays tomorrow.csv scored.parquet")
@click.argument("name")
@click.argument("address", metavar="INPUT")
@click.argument("output_file", metavar="OUTPUT", type=click.Path(path_type=Path))
@click.option("--stage", "of", type=stage_named, default=Stage.PRODUCTION, show_default="Production", metavar="STAGE")
@click.option("--sep", help="CSV: the character between cells, where it is not the one of the training data.")
@click.option("--decimal", type=click.Choice([".", ","]), help="CSV: the decimal mark of numbers, likewise.")
@click.option("--encoding", help="CSV: the encoding of the text, likewise.")
@click.option(
    "--format", type=click.Choice(["csv", "parquet", "jsonl", "arrow"]), help="Where the ending does not say it."
)
@click.option("--table", help="The table of a database.")
@click.option("--query", help="The SELECT that a database is asked.")
@click.option("--sha256", help="The digest that a file of https:// has to have.")
@json_option
def score(
    settings: Settings, name: str, address: str, output_file: Path, of: Stage, as_json: bool, **keys: str | None
) -> None:
    """Score a table with the version of a stage.

    INPUT is a path, or a URL of s3://, https://, sqlite:/// or postgresql://; OUTPUT is a CSV or Parquet file.
    """
    import_skops_first()
    from slipway.workflows import score as workflow

    show(workflow.score(settings, name, address, output_file, of, **keys), as_json)
