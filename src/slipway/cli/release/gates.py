"""The commands `slipway gates` and `slipway approve`."""

import click

from slipway.cli._options import Integer, command, import_skops_first, json_option, show
from slipway.cli.failures import REFUSED
from slipway.core.release.transitions import held_stage_named
from slipway.errors import UsageError
from slipway.settings import Settings
from slipway.types import Stage

_stage = click.option(
    "--stage", "to", type=held_stage_named, metavar="STAGE", default=Stage.PRODUCTION, show_default=True,
    help="Staging or Production.",
)  # fmt: skip


@command(example="slipway gates flight_delays 3")
@click.argument("name")
@click.argument("version", type=Integer(1))
@_stage
@json_option
@click.option("--markdown", is_flag=True, help="Print the result as a table in Markdown, for a pull request.")
def gates(settings: Settings, name: str, version: int, to: Stage, as_json: bool, markdown: bool) -> None:
    """Run the gates before a stage and move nothing.

    The verdicts are written to the ledger. The command exits with 1 when a gate does not pass.
    """
    import_skops_first()
    from slipway.workflows.release import gates as workflow

    if as_json and markdown:
        raise UsageError("--json and --markdown are two forms of the same result; choose one")
    judged = workflow.gates(settings, name, version, to)
    if markdown:
        click.echo(judged.as_markdown())
    else:
        show(judged, as_json)
    if not judged.passed:
        raise click.exceptions.Exit(REFUSED)


@command(example="slipway approve flight_delays 3 --comment 'read the slices; fine for winter'")
@click.argument("name")
@click.argument("version", type=Integer(1))
@click.option("--comment", required=True, help="Why; written down with the approval.")
@click.option(
    "--override",
    "overrides",
    multiple=True,
    metavar="GATE",
    help="A gate that compared with a version in Production which knows nearly all of the rows; may be given again.",
)
@_stage
@json_option
def approve(
    settings: Settings, name: str, version: int, comment: str, overrides: tuple[str, ...], to: Stage, as_json: bool
) -> None:
    """Approve the verdicts of the gates on a version.

    The approval comes from somebody other than the version's author, is of exactly this evidence, and expires when the evidence
    changes.
    """
    from slipway.workflows.release import decide as workflow

    show(workflow.approve(settings, name, version, comment, to, overrides), as_json)
