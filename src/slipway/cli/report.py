"""The command `slipway report`."""

import json
from pathlib import Path

import click

from slipway.cli._options import command, json_option
from slipway.settings import Settings


@command(example="slipway report flight_delays --output flight_delays.html")
@click.argument("name")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="By default NAME.html in the project.")
@json_option
def report(settings: Settings, name: str, output: Path | None, as_json: bool) -> None:
    """Render an experiment as one self-contained HTML page."""
    from slipway.workflows import report as workflow

    page = workflow.report(settings, name, output)
    click.echo(json.dumps({"report": str(page)}) if as_json else str(page))
