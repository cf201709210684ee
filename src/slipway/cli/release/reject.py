"""The commands `slipway reject` and `slipway comment`: what a reviewer says before, or instead of, an approval."""

import click

from slipway.cli._options import Integer, command, json_option, show
from slipway.core.release.transitions import held_stage_named
from slipway.settings import Settings
from slipway.types import Stage


@command(example="slipway reject flight_delays 3 --comment 'worse on Sundays, and nobody knows why'")
@click.argument("name")
@click.argument("version", type=Integer(1))
@click.option("--comment", required=True, help="Why; written down with the rejection.")
@click.option(
    "--stage", "to", type=held_stage_named, metavar="STAGE", default=Stage.PRODUCTION, show_default=True,
    help="Staging or Production.",
)  # fmt: skip
@json_option
def reject(settings: Settings, name: str, version: int, comment: str, to: Stage, as_json: bool) -> None:
    """Reject the verdicts of the gates on a version, with a reason.

    The version cannot be promoted to the stage until the same person approves it, or other evidence is judged.
    """
    from slipway.workflows.release import decide as workflow

    show(workflow.reject(settings, name, version, comment, to), as_json)


@command(example="slipway comment flight_delays 3 'which days are in the test rows?'")
@click.argument("name")
@click.argument("version", type=Integer(1))
@click.argument("text")
@json_option
def comment(settings: Settings, name: str, version: int, text: str, as_json: bool) -> None:
    """Comment on a version.

    The comment is an entry of the ledger: it stands on the version's page, and is neither changed nor taken back.
    """
    from slipway.workflows.release import decide as workflow

    show(workflow.comment(settings, name, version, text), as_json)
