"""The command `slipway register`."""

import click

from slipway.cli._options import command, json_option, show
from slipway.settings import Settings


@command(example="slipway register flight_delays 5f0c3a7e9d1b4c2f8a6e0b9d7c5f3a1e")
@click.argument("name")
@click.argument("run_id")
@json_option
def register(settings: Settings, name: str, run_id: str, as_json: bool) -> None:
    """Register the model of a run as a version of NAME."""
    from slipway.workflows.release import register as workflow

    show(workflow.register(settings, name, run_id), as_json)
