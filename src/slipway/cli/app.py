"""The commands by name; the module of a command is imported when the command is used, and MLflow later still.

A new command is a module here or in the room `release`, which parses and prints, a workflow, and a line of COMMANDS.
"""

import importlib

import click

from slipway.cli._options import global_options
from slipway.errors import UnknownName
from slipway.version import __version__

COMMANDS = {
    "up": "slipway.cli.up:up",
    "down": "slipway.cli.up:down",
    "backup": "slipway.cli.backup:backup",
    "restore": "slipway.cli.backup:restore",
    "user": "slipway.cli.user:user",
    "notices": "slipway.cli.notices.notices:notices",
    "doctor": "slipway.cli.doctor:doctor",
    "init": "slipway.cli.init:init",
    "check": "slipway.cli.check:check",
    "schema": "slipway.cli.schema:schema",
    "run": "slipway.cli.run:run",
    "reproduce": "slipway.cli.reproduce:reproduce",
    "register": "slipway.cli.release.register:register",
    "compare": "slipway.cli.compare:compare",
    "gates": "slipway.cli.release.gates:gates",
    "approve": "slipway.cli.release.gates:approve",
    "policy": "slipway.cli.release.policy:policy",
    "redeclare": "slipway.cli.release.redeclare:redeclare",
    "reject": "slipway.cli.release.reject:reject",
    "comment": "slipway.cli.release.reject:comment",
    "promote": "slipway.cli.release.promote:promote",
    "rollback": "slipway.cli.release.promote:rollback",
    "archive": "slipway.cli.release.promote:archive",
    "history": "slipway.cli.release.history:history",
    "reconcile": "slipway.cli.release.history:reconcile",
    "serve": "slipway.cli.serve:serve",
    "captured": "slipway.cli.captured:captured",
    "score": "slipway.cli.score:score",
    "image": "slipway.cli.image:image",
    "report": "slipway.cli.report:report",
    "demo": "slipway.cli.demo:demo",
}


class LifeCycle(click.Group):
    """A group whose commands are listed in the order of a model's life and loaded on demand."""

    def list_commands(self, _context: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, _context: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name].partition(":")
        command: click.Command = getattr(importlib.import_module(module), name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args[0] not in COMMANDS and not args[0].startswith("-"):
            raise UnknownName("command", args[0], COMMANDS, "See `slipway --help`")
        return super().resolve_command(ctx, args)


@click.group(
    cls=LifeCycle,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="\b\nExample:\n  slipway up --detach && slipway run flight_delays",
)
@click.version_option(__version__, prog_name="slipway")
@global_options
def app() -> None:
    """Take a tabular problem from an experiment to a live REST endpoint on MLflow.

    Exit codes: 0 done, 1 refused by a gate or a check, 2 wrong usage or configuration, 3 something outside failed.
    """
