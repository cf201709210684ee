"""The commands `slipway promote`, `slipway rollback` and `slipway archive`."""

import click

from slipway.cli._options import Integer, command, import_skops_first, json_option, show
from slipway.core.release.transitions import held_stage_named
from slipway.settings import Settings
from slipway.types import Stage

_comment = click.option("--comment", default="", help="Why; written down with the transition.")


@command(example="slipway promote flight_delays 3 Staging --comment 'better in autumn'")
@click.argument("name")
@click.argument("version", type=Integer(1))
@click.argument("to", type=held_stage_named, metavar="STAGE")
@_comment
@click.option(
    "--force", is_flag=True, help="Also where Production has the same model, so that nothing moves for callers."
)
@json_option
def promote(settings: Settings, name: str, version: int, to: Stage, comment: str, force: bool, as_json: bool) -> None:
    """Move a version to a stage if the gates let it."""
    import_skops_first()
    from slipway.workflows.release import promote as workflow

    show(workflow.promote(settings, name, version, to, comment, force=force), as_json)


@command(example="slipway rollback flight_delays --comment 'too many false alarms'")
@click.argument("name")
@_comment
@json_option
def rollback(settings: Settings, name: str, comment: str, as_json: bool) -> None:
    """Bring back the version that was in Production before."""
    from slipway.workflows.release import rollback as workflow

    show(workflow.rollback(settings, name, comment), as_json)


@command(example="slipway archive flight_delays 2 --comment 'superseded'")
@click.argument("name")
@click.argument("version", type=Integer(1))
@_comment
@json_option
def archive(settings: Settings, name: str, version: int, comment: str, as_json: bool) -> None:
    """Move a version to Archived."""
    from slipway.workflows.release import archive as workflow

    show(workflow.archive(settings, name, version, comment), as_json)
