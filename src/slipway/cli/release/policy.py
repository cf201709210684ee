"""The command `slipway policy`."""

from pathlib import Path

import click

from slipway.cli._options import Integer, command, json_option, show
from slipway.errors import UsageError
from slipway.settings import Settings


@command(example="slipway policy flight_delays --set policy.yaml --comment 'as agreed with the owner'")
@click.argument("name")
@click.option(
    "--set",
    "file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Set the policy of this file.",
)
@click.option("--from", "version", type=Integer(1), help="Print the demands of a version, as the start of a policy.")
@click.option("--approve", is_flag=True, help="Approve the policy that waits, or the one in force.")
@click.option(
    "--as-admin", is_flag=True, help="With --approve: as an admin, in place of those whom the policy before asks for."
)
@click.option("--comment", default="", help="Why; written down with the policy, or with its approval.")
@json_option
def policy(
    settings: Settings,
    name: str,
    file: Path | None,
    version: int | None,
    approve: bool,
    as_admin: bool,
    comment: str,
    as_json: bool,
) -> None:
    """Show the release policy of a model, or change it.

    The gates hold each version to its own declaration and to the policy, whichever is stricter. Without options the policy is
    printed, with who set it and when.
    """
    from slipway.workflows.release import policy as workflow

    if sum((file is not None, version is not None, approve)) > 1:
        raise UsageError("--set, --from and --approve are three different things to do; give one of them")
    if as_admin and not approve:
        raise UsageError("--as-admin is a way to approve; give it with --approve, or leave it out")
    if comment and not (file or approve):
        raise UsageError("--comment is written down with --set or --approve; give one of them, or leave --comment out")
    if (file or approve) and not comment.strip():
        raise UsageError("a release policy is set and approved with a reason: give it with --comment")
    if file:
        show(workflow.set_policy(settings, name, file, comment), as_json)
    elif approve:
        show(workflow.approve_policy(settings, name, comment, as_admin=as_admin), as_json)
    elif version:
        show(workflow.draft_policy(settings, name, version), as_json)
    else:
        show(workflow.show_policy(settings, name), as_json)
