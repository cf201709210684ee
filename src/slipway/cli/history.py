"""slipway history."""

import click

from slipway.cli.command import command, json_option, show
from slipway.settings import Settings


@command(example="slipway history flight_delays")
@click.argument("name")
@json_option
def history(settings: Settings, name: str, as_json: bool) -> None:
    """Tell who moved which version where, when and why."""
    from slipway.workflows import history as workflow

    show(workflow.history(settings, name), as_json)
