"""The command `slipway user`."""

import sys

import click

from slipway.cli._options import command, json_option, show
from slipway.settings import Settings

_ROLES = ("approver", "promoter")


@command(example="slipway user ana promoter --model flight_delays < ana.password")
@click.argument("name")
@click.argument("role", type=click.Choice(_ROLES))
@click.option("--model", metavar="NAME", help="The registered model; by default all of them.")
@json_option
def user(settings: Settings, name: str, role: str, model: str | None, as_json: bool) -> None:
    """Let somebody approve or promote, on a server with auth.

    Only an admin may run this. A user who does not exist yet is created, with a password of at least 12 characters, which is
    asked for, or read from standard input.
    """
    from slipway.tracking.users import UserRole
    from slipway.workflows import users

    show(users.user(settings, name, UserRole[role.upper()], model, _password), as_json)


def _password() -> str:
    if sys.stdin.isatty():
        return str(click.prompt("Password", hide_input=True, confirmation_prompt=True))
    return sys.stdin.readline().rstrip("\n")
