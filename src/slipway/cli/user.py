"""The command `slipway user` with its parts give, list, remove and revoke; without the name of a part it gives a role."""

import sys

import click

from slipway.cli._options import command, global_options, json_option, show
from slipway.errors import UsageError
from slipway.settings import Settings

_ROLES = ("reader", "author", "approver", "promoter", "admin")


class _Giving(click.Group):
    """A group in which any word that is no part of it is the name of a user, who gets a role."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        given = args if args[0] in self.commands or args[0].startswith("-") else ["give", *args]
        return super().resolve_command(ctx, given)


@command(example="slipway user give ana promoter --model flight_delays < ana.password")
@click.argument("name")
@click.argument("role", type=click.Choice(_ROLES))
@click.option("--model", metavar="NAME", help="The registered model; by default all of them.")
@json_option
def give(settings: Settings, name: str, role: str, model: str | None, as_json: bool) -> None:
    """Give somebody a role in place of the one for the same model.

    A user who does not exist yet is made, with a password of at least 12 characters, which is asked for, or read from standard
    input.
    """
    from slipway.types import UserRole
    from slipway.workflows import users

    show(users.user(settings, name, UserRole(role), model, _password), as_json)


@command(example="slipway user list")
@json_option
def list_(settings: Settings, as_json: bool) -> None:
    """List the users with their roles, by model."""
    from slipway.workflows import users

    show(users.list_users(settings), as_json)


@command(example="slipway user remove ana --yes")
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask whether to remove the user.")
@json_option
def remove(settings: Settings, name: str, yes: bool, as_json: bool) -> None:
    """Remove a user; runs, versions and the ledger stay.

    The last admin cannot be removed.
    """
    from slipway.workflows import users

    if not yes:
        if not sys.stdin.isatty():
            raise UsageError(f"nobody is here to be asked whether to remove {name}; add --yes")
        click.confirm(f"Remove the user {name}?", abort=True, err=True)
    show(users.remove(settings, name), as_json)


@command(example="slipway user revoke ana --model flight_delays")
@click.argument("name")
@click.option(
    "--model", metavar="NAME", help="The registered model; by default all of them, and the rights of an admin."
)
@json_option
def revoke(settings: Settings, name: str, model: str | None, as_json: bool) -> None:
    """Take roles and permissions from a user, who then may do what everybody may."""
    from slipway.workflows import users

    show(users.revoke(settings, name, model), as_json)


@click.group(
    cls=_Giving,
    commands={"give": give, "list": list_, "remove": remove, "revoke": revoke},
    subcommand_metavar="NAME ROLE | COMMAND [ARGS]...",
    epilog="\b\nExample:\n  slipway user ana promoter --model flight_delays < ana.password\n  slipway user list",
)
@global_options
def user() -> None:
    """Say who may do what, on a server with auth.

    Only an admin may. The roles are reader, author (everybody who has no other), approver, promoter and admin; the page
    /slipway/roles of the server says what each of them may do.
    """


def _password() -> str:
    if sys.stdin.isatty():
        return str(click.prompt("Password", hide_input=True, confirmation_prompt=True))
    return sys.stdin.readline().rstrip("\n")
