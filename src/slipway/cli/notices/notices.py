"""The commands `slipway notices`, and `check`, `test` and `send` below it."""

from pathlib import Path
from typing import Any

import click

from slipway.cli._options import Integer, command, global_options, json_option, settings_of, show
from slipway.settings import Settings

_file = click.option(
    "--notices",
    "file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="By default SLIPWAY_NOTICES, else notices.yaml in the home.",
)


@click.group(invoke_without_command=True, epilog="\b\nExample:\n  slipway notices\n  slipway notices test reviewers")
@click.option("--last", type=Integer(1, 10_000), default=50, show_default=True, help="How many sent and failed ones.")
@json_option
@global_options
@click.pass_context
def notices(context: click.Context, /, last: int, as_json: bool, **_: Any) -> None:
    """List the notices that are pending, sent or failed."""
    if context.invoked_subcommand is None:
        from slipway.workflows.notices import commands

        show(commands.listed(settings_of(context), last), as_json)


@command(example="slipway notices check")
@_file
@json_option
def check(settings: Settings, file: Path | None, as_json: bool) -> None:
    """Read notices.yaml and say who is told of what; nothing is sent."""
    from slipway.workflows.notices import commands

    show(commands.check(settings, file), as_json)


@command(example="slipway notices test reviewers")
@click.argument("channel")
@_file
@json_option
def test(settings: Settings, channel: str, file: Path | None, as_json: bool) -> None:
    """Send a test to one channel, and say what its receiver answers."""
    from slipway.workflows.notices import commands

    show(commands.test(settings, channel, file), as_json)


@command(example="slipway notices send --failed")
@click.option("--failed", is_flag=True, help="Those that failed for good as well, from the beginning.")
@_file
@json_option
def send(settings: Settings, failed: bool, file: Path | None, as_json: bool) -> None:
    """Send what is due now, where no server of the home does."""
    from slipway.workflows.notices import commands

    show(commands.send(settings, file, failed=failed), as_json)


for each in (check, test, send):
    notices.add_command(each)
