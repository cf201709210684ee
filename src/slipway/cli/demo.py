"""The command `slipway demo`."""

import click

from slipway.cli._options import Integer, command
from slipway.settings import Settings


@command(example="slipway demo --once")
@click.option("--once", is_flag=True, help="Check the whole path and end, rather than stay up until Ctrl-C.")
@click.option("--trials", type=Integer(1), help="How many candidates to try.")
def demo(settings: Settings, once: bool, trials: int | None) -> None:
    """Go the whole path on real flights: search, promote, serve, ask."""
    from slipway.workflows import demo as workflow

    workflow.demo(settings, once=once, trials=trials)
