"""The command `slipway image`."""

from pathlib import Path

import click

from slipway.cli._options import Integer, command, json_option, show
from slipway.core.release.transitions import stage_named
from slipway.settings import Settings
from slipway.types import Stage

_file = click.Path(exists=True, dir_okay=False, path_type=Path)


@command(example="slipway image flight_delays --output image/")
@click.argument("name")
@click.option("--output", type=click.Path(path_type=Path), default=Path("image"), show_default=True, metavar="FOLDER")
@click.option("--stage", "of", type=stage_named, default=Stage.PRODUCTION, show_default="Production", metavar="STAGE")
@click.option("--version", type=Integer(1), help="This version, whatever its stage.")
@click.option("--lock", type=_file, help="Packages with hashes; by default those that the version was trained with.")
@json_option
def image(
    settings: Settings, name: str, output: Path, of: Stage, version: int | None, lock: Path | None, as_json: bool
) -> None:
    """Write a version as a build context for Docker.

    The container answers REST requests with that version, and needs no registry. The context holds a Dockerfile, the model's
    files, the locked packages with their hashes, and Slipway itself. An older context in the folder is replaced when the new
    one is whole; any other folder has to be empty.
    """
    from slipway.workflows.image import write_image

    show(write_image(settings, name, output, stage=of, number=version, lock=lock), as_json)
