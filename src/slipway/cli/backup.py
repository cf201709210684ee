"""slipway backup, slipway restore."""

from pathlib import Path

import click

from slipway.cli.command import command, json_option, show
from slipway.settings import Settings


@command(example="slipway backup ../slipway.zip")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@json_option
def backup(settings: Settings, file: Path, as_json: bool) -> None:
    """Write all that `slipway up` keeps in its home into one FILE, also while it is up and being written to.

    An older backup of that name is replaced when the new one is whole. Only its owner may read it.
    """
    from slipway.workflows.backup import backup as write

    show(write(settings, file), as_json)


@command(example="slipway restore ../slipway.zip")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--replace", is_flag=True, help="Move aside what is in the home; without it the home has to be empty.")
@json_option
def restore(settings: Settings, file: Path, replace: bool, as_json: bool) -> None:
    """Put a backup FILE into the home, when all of it was found to be as it was put in."""
    from slipway.workflows.backup import restore as read

    show(read(settings, file, replace=replace), as_json)
