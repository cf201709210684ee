"""The command `slipway check`."""

import click

from slipway.cli._options import command, import_skops_first, json_option, show
from slipway.settings import Settings


@command(example="slipway check flight_delays")
@click.argument("name")
@json_option
def check(settings: Settings, name: str, as_json: bool) -> None:
    """Validate an experiment and say what a run of it will do."""
    import_skops_first()
    from slipway.workflows import check as workflow

    show(workflow.check(settings, name), as_json)
