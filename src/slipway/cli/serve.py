"""slipway serve."""

import click

from slipway.cli.command import command, json_option, show, stage
from slipway.settings import Settings
from slipway.types import Stage


@command(example="slipway serve flight_delays --port 5001")
@click.argument("name")
@click.option("--stage", "of", type=stage, default=Stage.PRODUCTION, show_default="Production", metavar="STAGE")
@click.option("--host", default="127.0.0.1", show_default=True, help="0.0.0.0 to answer other machines.")
@click.option("--port", type=click.IntRange(0, 65535), default=5001, show_default=True, help="0 for any free one.")
@json_option
def serve(settings: Settings, name: str, of: Stage, host: str, port: int, as_json: bool) -> None:
    """Answer REST requests with the version of a stage until Ctrl-C."""
    from slipway.workflows import serve as workflow

    serving = workflow.serve(settings, name, stage=of, host=host, port=port)
    show(serving, as_json)
    serving.stay()
