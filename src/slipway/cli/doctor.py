"""The command `slipway doctor`."""

import click

from slipway.cli._options import command, json_option, show
from slipway.settings import Settings


@command(example="slipway doctor && slipway doctor flight_delays")
@click.argument("name", required=False)
@json_option
def doctor(settings: Settings, name: str | None, as_json: bool) -> None:
    """Diagnose the installation, or the readiness of an experiment.

    With NAME it is said whether that experiment is ready to be released. Nothing is changed. The exit code is 1 where
    something has to be mended.
    """
    if name:
        from slipway.workflows.doctor.readiness import ready

        found = ready(settings, name)
    else:
        from slipway.workflows.doctor.diagnose import diagnose

        found = diagnose(settings)
    show(found, as_json)
    if not found.passed:
        click.get_current_context().exit(1)
