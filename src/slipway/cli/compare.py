"""The command `slipway compare`."""

from pathlib import Path

import click

from slipway.cli._options import command, json_option, show
from slipway.settings import Settings


@command(example="slipway compare flight_delays 3 Production")
@click.argument("name")
@click.argument("left", required=False)
@click.argument("right", required=False)
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where to write the page; by default NAME-compare.html, and with --json nowhere.",
)
@json_option
def compare(
    settings: Settings, name: str, left: str | None, right: str | None, output: Path | None, as_json: bool
) -> None:
    """Set two versions or runs side by side.

    LEFT and RIGHT are version numbers, Production or Staging, or run ids, of which 6 characters are enough. Without LEFT and
    RIGHT, the version in Production is compared with the newest other version.
    """
    from slipway.workflows import compare as workflow

    page = output or (None if as_json else Path(f"{name}-compare.html"))
    show(workflow.compare(settings, name, left, right, page), as_json)
