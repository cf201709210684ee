"""The cache of versions on this disk: their verified copies, and the version that a service served last.

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
    """Return the folder for the copy of a version."""
    return home / "models" / name / str(version)


def remember(home: Path, followed: Followed, seen: Seen) -> None:
    """Write down the version that is served, for a start while the registry is away. A write that fails is passed over."""
    path = _record(home, followed)
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as draft:
            draft.write_text(json.dumps(asdict(seen)) + "\n")


def remembered(home: Path, followed: Followed) -> Seen | None:
    """Return the version that was served last; None where none was, or where its record cannot be read."""
    try:
        record = json.loads(_record(home, followed).read_text())
        return Seen(int(record["version"]), Stage(record["stage"]), str(record["digest"]), str(record["run_id"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def tell_moved(home: Path, name: str) -> None:
    """Let the services of this home ask the registry at once. A failure here stops no transition."""
    with suppress(OSError):
        path = home / "moved" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def moved_at(home: Path, name: str) -> int:
    """Return the time of the last call of `tell_moved`, in nanoseconds of the file system; 0 for never."""
    with suppress(OSError):
        return (home / "moved" / name).stat().st_mtime_ns
    return 0


def _record(home: Path, followed: Followed) -> Path:
    of = followed.version or followed.stage
    return home / "models" / followed.name / f"served-{of}.json"
