"""Segments on disk: each appears whole or not at all, only its owner can read it, and the oldest make room for new ones."""

from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import pyarrow.parquet as pq

from slipway.files import sweep_dead, whole_file

REQUESTS, LABELS = "requests", "labels"


def folder_of(base: Path, name: str) -> Path:
    """Return the folder of a model's segments; no name leads out of `base`."""
    return base / quote(name, safe="").replace(".", "%2E" if not name.strip(".") else ".")


def name_of(folder: Path) -> str:
    """Return the name of the model whose folder `folder_of` returned."""
    return unquote(folder.name)


def files_of(folder: Path, kind: str) -> list[Path]:
    """Return a model's segments of REQUESTS or LABELS, the oldest first."""
    return sorted((folder / kind).glob("*/[!.]*.parquet"), key=lambda path: (path.parent.name, path.name))


@dataclass(frozen=True)
class Named:
    """The parts of a segment's name. A segment of the same parts replaces it.

    Attributes:
        kind: REQUESTS or LABELS.
        version: Number of the version.
        session: Session of the ring.
        number: Number of the segment in the session.
        began_ns: When the segment was begun, in nanoseconds since 1970.
    """

    kind: str
    version: int
    session: str
    number: int
    began_ns: int

    def path(self, folder: Path) -> Path:
        """Return the path of the segment in the folder of its model."""
        at = datetime.fromtimestamp(self.began_ns / 1e9, UTC)
        name = f"{at:%H%M%S}-v{self.version}-{self.session}-{self.number:06d}.parquet"
        return folder / self.kind / f"{at:%Y-%m-%d}" / name


class Store:
    """The segments of one model. max_bytes: of all its segments together."""

    def __init__(self, base: Path, name: str, max_bytes: int):
        self._folder, self._max_bytes = folder_of(base, name), max_bytes
        self._known: deque[tuple[Path, int]] | None = None
        self._bytes = 0

    def write(self, named: Named, table: Any, metadata: Mapping[str, str]) -> None:
        """Write a segment and wait until it is on the disk. Raises OSError, and leaves no file then."""
        path = named.path(self._folder)
        path.parent.mkdir(parents=True, exist_ok=True)
        given = {key.encode(): value.encode() for key, value in metadata.items()}
        with whole_file(path, synced=True) as draft:
            pq.write_table(table.replace_schema_metadata(given), draft, compression="zstd")
            size = draft.stat().st_size
        if self._known is not None:
            self._known.append((path, size))
            self._bytes += size

    def trim(self) -> None:
        """Remove the oldest segments until the rest has no more than `max_bytes`; the last one always stays."""
        if self._known is None:  # segments of services before count too
            sizes = [(path, _size(path)) for kind in (REQUESTS, LABELS) for path in files_of(self._folder, kind)]
            self._known = deque(sorted(sizes, key=lambda each: (each[0].parent.name, each[0].name)))
            self._bytes = sum(size for _, size in sizes)
        while self._bytes > self._max_bytes and len(self._known) > 1:
            path, size = self._known.popleft()
            self._bytes -= size
            path.unlink(missing_ok=True)
            with suppress(OSError):  # the last one of its day
                path.parent.rmdir()

    def clean(self) -> None:
        """Remove the half-written files of writers that were killed."""
        sweep_dead(self._folder, "*/*")


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
