"""Versions on this disk: their verified copies, and which of them a service served last.

HOME/models/NAME/VERSION/          the files          HOME/models/NAME/served-STAGE.json   version and digest
HOME/moved/NAME                    touched by each command that moves a version of NAME
"""

import json
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from slipway.files import whole_file
from slipway.registry.watch import Followed, Seen
from slipway.types import Stage


def copy_folder(home: Path, name: str, version: int) -> Path:
    """Return where the copy of a version is kept."""
    return home / "models" / name / str(version)


def remember(home: Path, followed: Followed, seen: Seen) -> None:
    """Write down what is served, for a start while the registry is away. A disk that is full keeps nobody from serving."""
    path = _record(home, followed)
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as draft:
            draft.write_text(json.dumps(asdict(seen)) + "\n")


def remembered(home: Path, followed: Followed) -> Seen | None:
    """Return what was served last; None where nothing was."""
    try:
        said = json.loads(_record(home, followed).read_text())
        return Seen(int(said["version"]), Stage(said["stage"]), str(said["digest"]), str(said["run_id"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def tell_moved(home: Path, name: str) -> None:
    """Let the services of this home look into the registry at once. Whatever fails here keeps no movement from being made."""
    with suppress(OSError):
        path = home / "moved" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def moved_at(home: Path, name: str) -> int:
    """Return when a movement was last told, as nanoseconds of the file system; 0 for never."""
    with suppress(OSError):
        return (home / "moved" / name).stat().st_mtime_ns
    return 0


def _record(home: Path, followed: Followed) -> Path:
    of = followed.version or followed.stage
    return home / "models" / followed.name / f"served-{of}.json"
