"""The commands `slipway history` and `slipway reconcile`."""

from datetime import UTC, datetime

import click

from slipway.cli._options import Integer, command, json_option, show
from slipway.cli.failures import REFUSED
from slipway.errors import UsageError
from slipway.settings import Settings

_MOMENTS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S"]


@command(example="slipway history flight_delays --at '2026-11-24 09:30'")
@click.argument("name")
@click.option("--last", type=Integer(1), help="Show only so many of the newest transitions.")
@click.option(
    "--at", type=click.DateTime(_MOMENTS), metavar="TIME", help="Show the version of each stage at a time, in UTC."
)
@click.option("--verify", is_flag=True, help="Find entries that were altered or taken out, and moves past Slipway.")
@click.option("--comments", is_flag=True, help="Also list the comments on versions.")
@json_option
def history(
    settings: Settings,
    name: str,
    last: int | None,
    at: datetime | None,
    verify: bool,
    comments: bool,
    as_json: bool,
) -> None:
    """Tell who moved which version where, when and why.

    --verify exits with 1 when an entry was altered, is missing, or was written past Slipway.
    """
    from slipway.workflows.release import history as workflow

    if sum(map(bool, (last, at, verify))) > 1:
        raise UsageError("--last, --at and --verify are three different questions; give one of them")
    if comments and (at or verify):
        raise UsageError("--comments belongs to the list of transitions; leave out --at or --verify")
    if at:
        show(workflow.history_at(settings, name, at.replace(tzinfo=UTC)), as_json)
    elif verify:
        verified = workflow.verify_history(settings, name)
        show(verified, as_json)
        if verified.findings:
            raise click.exceptions.Exit(REFUSED)
    else:
        show(workflow.history(settings, name, last, comments=comments), as_json)


@command(example="slipway reconcile flight_delays")
@click.argument("name")
@json_option
def reconcile(settings: Settings, name: str, as_json: bool) -> None:
    """Bring a transition that was cut off halfway to its end."""
    from slipway.workflows.release import reconcile as workflow

    show(workflow.reconcile(settings, name), as_json)
