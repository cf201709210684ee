"""The commands `slipway backup` and `slipway restore`."""

from pathlib import Path

import click

from slipway.cli._options import command, json_option, show
from slipway.settings import Settings


@command(example="slipway backup ../slipway.zip")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@json_option
def backup(settings: Settings, file: Path, as_json: bool) -> None:
    """Write the home of `slipway up` into one file.

    The server may be up and written to meanwhile. An older backup of that name is replaced when the new one is whole. Only the
    owner of the file may read it.
    """
    from slipway.workflows.backup import backup as write

    show(write(settings, file), as_json)


@command(example="slipway restore ../slipway.zip")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--replace", is_flag=True, help="Move the home's content aside; without it the home has to be empty.")
@json_option
def restore(settings: Settings, file: Path, replace: bool, as_json: bool) -> None:
    """Put a backup into the home once all of it is verified.

    If one file of the backup is not as it was written, nothing is touched.
    """
    from slipway.workflows.backup import restore as read

    show(read(settings, file, replace=replace), as_json)
