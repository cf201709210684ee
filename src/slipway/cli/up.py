"""slipway up, slipway down."""

import click

from slipway.cli.command import command, json_option, show
from slipway.settings import Settings


@command(example="slipway up --detach")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=5000, show_default=True, help="The next free one if taken."
)
@click.option("--detach", is_flag=True, help="Return when the server answers; `slipway down` stops it.")
@click.option("--auth", is_flag=True, help="With MLflow's users and permissions; a home that has them keeps them.")
@json_option
def up(settings: Settings, port: int, detach: bool, auth: bool, as_json: bool) -> None:
    """Start the MLflow tracking server and keep it up until Ctrl-C."""
    from slipway.workflows import platform

    kept = platform.up(settings, port=port, auth=auth, detach=detach)
    show(kept, as_json)
    kept.stay()


@command(example="slipway down")
@json_option
def down(settings: Settings, as_json: bool) -> None:
    """Stop the MLflow tracking server that `slipway up` started."""
    from slipway.workflows import platform

    show(platform.down(settings), as_json)
