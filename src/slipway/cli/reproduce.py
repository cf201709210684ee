"""The command `slipway reproduce`."""

import click

from slipway.cli._options import Integer, command, import_skops_first, json_option, show
from slipway.cli.failures import REFUSED
from slipway.settings import Settings


@command(example="slipway reproduce flight_delays 3")
@click.argument("name")
@click.argument("version", type=Integer(1))
@json_option
def reproduce(settings: Settings, name: str, version: int, as_json: bool) -> None:
    """Fit a version's model again and compare the two row by row.

    The command exits with 1 when one answer differs.
    """
    import_skops_first()
    from slipway.workflows.training import reproduce as workflow

    done = workflow.reproduce(settings, name, version)
    show(done, as_json)
    if not done.identical:
        raise click.exceptions.Exit(REFUSED)
