"""The place of a table: named from the working directory by a person, and from the experiment's folder by its file."""

import os
from collections.abc import Mapping
from pathlib import Path

from slipway.core.spec import ENDINGS, ending_of
from slipway.errors import UsageError

_SQLITE = "sqlite:///"
_SHORT = {".csv": "csv", ".parquet": "parquet"}
_ELSEWHERE = "outside of the project: the path holds for this machine only"


def with_format(data: Mapping[str, str]) -> dict[str, str]:
    """Return the keys of a source with the format of a folder, where all files in it that can be read are of one format.

    Raises UsageError for a folder of files of several formats.
    """
    folder = Path(data["url"])
    if "format" in data or "://" in data["url"] or not folder.is_dir():
        return dict(data)
    found = {ENDINGS.get(ending_of(file.name)[0]) for file in folder.rglob("*") if file.name[0] not in "._"}
    formats = sorted(format_.value for format_ in found if format_)
    if len(formats) > 1:
        raise UsageError(f"--data: the folder {folder} holds files of {', '.join(formats)}; name one by --format")
    return {**data, "format": formats[0]} if formats else dict(data)


def place_of(data: Mapping[str, str], project: Path, folder: Path) -> tuple[dict[str, str], str]:
    """Return the keys that say where the table is, and a note where the path holds for this machine only.

    Args:
        data: the keys as they hold in the working directory.
        project: the project; a path below it is written relative to `folder`.
        folder: the folder of the experiment.
    """
    url = data["url"]
    if url.startswith(_SQLITE):
        path, note = _path(Path(url.removeprefix(_SQLITE)), project, folder)
        return {**data, "url": f"{_SQLITE}{path}"}, note
    if "://" in url:
        return dict(data), ""
    path, note = _path(Path(url), project, folder)
    key = "url" if "format" in data else _SHORT.get(Path(url).suffix.lower(), "url")
    return {key: path, **{each: value for each, value in data.items() if each != "url"}}, note


def _path(given: Path, project: Path, folder: Path) -> tuple[str, str]:
    path = given.resolve()
    if path.is_relative_to(project.resolve()):
        return os.path.relpath(path, folder.resolve()), ""
    return str(path), _ELSEWHERE
