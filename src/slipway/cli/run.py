"""slipway run."""

import click

from slipway.cli.command import command, json_option, show
from slipway.settings import Settings


@command(example="slipway run flight_delays --trials 20 --seed 7")
@click.argument("name")
@click.option(
    "--trials", type=click.IntRange(0), help="How many trials; by default, and for 0, what the experiment declares."
)
@click.option("--timeout-s", type=click.FloatRange(0, min_open=True), help="Start no trial after so many seconds.")
@click.option("--seed", type=click.IntRange(0), help="The seed of the search; by default what the experiment declares.")
@json_option
def run(
    settings: Settings, name: str, trials: int | None, timeout_s: float | None, seed: int | None, as_json: bool
) -> None:
    """Search, evaluate the winner and register it."""
    from slipway.workflows import run as workflow

    show(workflow.run(settings, name, trials=trials or None, timeout_s=timeout_s, seed=seed), as_json)
