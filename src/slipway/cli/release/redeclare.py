"""The command `slipway redeclare`."""

import click

from slipway.cli._options import Integer, command, json_option, show
from slipway.settings import Settings


@command(example="slipway redeclare flight_delays 3 --comment 'the team of the airport owns it now'")
@click.argument("name")
@click.argument("version", type=Integer(1))
@click.option("--comment", default="", help="Why; written down with the declaration, and needed for that.")
@click.option("--dry-run", is_flag=True, help="Say what would change, and write nothing.")
@json_option
def redeclare(settings: Settings, name: str, version: int, comment: str, dry_run: bool, as_json: bool) -> None:
    """Declare the release of a version anew, and train nothing.

    Scope, gates, SLA, delivery and monitoring become what experiment.yaml says today; data, features, split, search and costs
    stay those of the run, and a difference there is refused. The gates judge the version by the new declaration; verdicts and
    approvals of before no longer count.
    """
    from slipway.workflows.release import redeclare as workflow

    show(workflow.redeclare(settings, name, version, comment, dry_run=dry_run), as_json)
