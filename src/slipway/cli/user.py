"""slipway user."""

import sys

import click

from slipway.cli.command import command, json_option, show
from slipway.settings import Settings

_ROLES = ("approver", "promoter")


@command(example="slipway user ana promoter --model flight_delays < ana.password")
@click.argument("name")
@click.argument("role", type=click.Choice(_ROLES))
@click.option("--model", metavar="NAME", help="The registered model; by default all of them.")
@json_option
def user(settings: Settings, name: str, role: str, model: str | None, as_json: bool) -> None:
    """Make a user of a server with auth, or give one another role; an admin does.

    The password of a new user is asked for, or read from standard input.
    """
    from slipway.tracking.users import Role
    from slipway.workflows import users

    typed = sys.stdin.isatty()
    password = click.prompt("Password", hide_input=True) if typed else sys.stdin.readline().rstrip("\n")
    show(users.user(settings, name, Role[role.upper()], model, password), as_json)
