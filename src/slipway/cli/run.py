"""The command `slipway run`."""

import click

from slipway.cli._options import Integer, Number, command, import_skops_first, json_option, show
from slipway.settings import Settings


@command(example="slipway run flight_delays --trials 20 --seed 7")
@click.argument("name")
@click.option("--trials", type=Integer(0), help="How many trials; by default, and for 0, as the experiment declares.")
@click.option("--timeout-s", type=Number(0, min_open=True), help="Start no trial after so many seconds.")
@click.option("--seed", type=Integer(0), help="The seed of the search; by default as the experiment declares.")
@click.option(
    "--executor", type=click.Choice(["processes", "serial", "spark"]), help="Where trials run; serial repeats exactly."
)
@click.option("--workers", type=Integer(1), help="How many trials at a time; by default one a core.")
@click.option("--master", metavar="URL", help="The Spark master, as in spark://host:7077; by default this machine.")
@click.option("--resume", is_flag=True, help="Take up the newest search of the same study: its trials count.")
@json_option
def run(
    settings: Settings,
    name: str,
    trials: int | None,
    timeout_s: float | None,
    seed: int | None,
    executor: str | None,
    workers: int | None,
    master: str | None,
    resume: bool,
    as_json: bool,
) -> None:
    """Search, evaluate the winner and register it."""
    from slipway.forkserver import warm_up
    from slipway.workflows.project import declared

    if (executor or declared(settings, name).experiment.search.executor) == "processes":
        warm_up()  # the fork server imports while this process does, which takes as long
    import_skops_first()
    from slipway.workflows import run as workflow

    given = {
        "trials": trials or None,
        "timeout_s": timeout_s,
        "seed": seed,
        "executor": executor,
        "workers": workers,
        "master": master,
    }
    show(workflow.run(settings, name, resume=resume, **given), as_json)
