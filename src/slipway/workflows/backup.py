"""`slipway backup`, `slipway restore`: the embedded server's home in one file, and back.

Databases are copied first and artifacts after. A run that is finished in the copied database stored its artifacts before, so
the backup holds them, together with files of runs that began later.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from slipway.errors import FileUnusable, UsageError
from slipway.files import locked_file, sweep, whole_locked_file
from slipway.progress import bytes_bar
from slipway.settings import Settings
from slipway.tracking.backup.archive import ArchiveWriter, Manifest, reading
from slipway.tracking.backup.swap import exchange, is_cut_off, occupied, stage
from slipway.tracking.home import DATABASE, copy_database, counts, databases, other_files, revision
from slipway.tracking.schema import known_revisions, newest_revision
from slipway.tracking.server import find_server, home_at_rest
from slipway.tracking.stores import FOLDER, SQLITE
from slipway.version import __version__


@dataclass(frozen=True)
class Backup:
    """A backup that `backup` wrote. size: bytes of the file."""

    file: Path
    size: int
    manifest: Manifest

    def as_dict(self) -> dict[str, Any]:
        return {"file": str(self.file), "size": self.size, **_facts(self.manifest)}

    def __str__(self) -> str:
        return (
            f"{self.file} ({self.size / 1e6:.1f} MB) holds {_in_words(self.manifest)}\n`slipway restore` puts it back."
        )


@dataclass(frozen=True)
class Restored:
    """A home that was filled from a backup. aside: the folder with the former content; None when the home was empty."""

    home: Path
    manifest: Manifest
    aside: Path | None

    @property
    def upgrade(self) -> str | None:
        """The command that brings older tables up to the installed MLflow; None where they are of this MLflow."""
        if self.manifest.revision == newest_revision():
            return None
        return f"mlflow db upgrade sqlite:///{self.home / DATABASE}"

    def as_dict(self) -> dict[str, Any]:
        aside = self.aside and str(self.aside)
        return {"home": str(self.home), "aside": aside, "upgrade": self.upgrade, **_facts(self.manifest)}

    def __str__(self) -> str:
        lines = [f"{self.home} holds {_in_words(self.manifest)}, as it was at {self.manifest.made}"]
        if self.aside:
            lines.append(f"The content before is in {self.aside}; delete it when nobody misses it.")
        if self.upgrade:
            lines.append(f"Its tables are of an older MLflow: before `slipway up`, run `{self.upgrade}`")
        return "\n".join(lines)


def backup(settings: Settings, file: Path) -> Backup:
    """Write the home's databases and artifacts into `file`, whole or not at all; the server may be up.

    Raises UsageError when there is nothing to back up, or the server keeps its content elsewhere; FileUnusable.
    """
    home, file = settings.home, file.resolve()
    with _os_errors_as_unusable(file):
        if is_cut_off(home):
            with home_at_rest(home):  # brings the exchange to its end
                pass
        _require_embedded(settings)
        _require_ours(home, file)
        sweep(file)
        with whole_locked_file(file) as stream:
            before = (home / DATABASE).stat().st_ino
            with ArchiveWriter(stream) as archive:
                manifest = _write(home, file, archive)
            if (home / DATABASE).stat().st_ino != before:
                raise FileUnusable(f"{home} was restored while it was backed up; back it up again")
        return Backup(file, file.stat().st_size, manifest)


def restore(settings: Settings, file: Path, *, replace: bool = False) -> Restored:
    """Put a backup into the home, which is untouched until the whole backup was verified.

    A restore that is killed is brought to its end, or taken away, by the next command that opens the home.

    replace: whether to move the present content aside, into a folder of the home. A restore that fails puts it back.
    Raises UsageError when the server is up, the home is not empty, or the backup is of a newer MLflow; FileUnusable.
    """
    home = settings.home
    with _os_errors_as_unusable(home), home_at_rest(home):
        new = stage(home)
        if (there := occupied(home)) and not replace:
            raise UsageError(
                f"{home} is not empty ({', '.join(there[:3])}); --replace moves that aside, SLIPWAY_HOME names another home"
            )
        with reading(file) as archive:
            manifest = archive.manifest
            _require_known(file, manifest.revision)
            with bytes_bar(manifest.size, "restoring") as shown:
                archive.extract(new, shown.update)
        _require_known(file, revision(new / DATABASE))
        return Restored(home, manifest, exchange(home, f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}"))


def _write(home: Path, file: Path, archive: ArchiveWriter) -> Manifest:
    facts: dict[str, Any] = {}
    with bytes_bar(sum(map(_size, [*databases(home), *other_files(home)])), "backing up") as shown:
        for database in databases(home):
            with locked_file(file) as (copy, _):
                copy_database(database, copy)
                if database.name == DATABASE:
                    facts = {"revision": revision(copy), "counts": counts(copy)}
                archive.add(database.name, copy, shown.update)
        for path in other_files(home):  # listed anew: a run may have ended since
            with suppress(FileNotFoundError):  # deleted since
                archive.add(path.relative_to(home).as_posix(), path, shown.update)
    made = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    manifest = Manifest(slipway=__version__, mlflow=version("mlflow"), made=made, files=archive.files, **facts)
    archive.finish(manifest)
    return manifest


def _size(path: Path) -> int:
    with suppress(FileNotFoundError):  # deleted since it was listed
        return path.stat().st_size
    return 0


def _require_embedded(settings: Settings) -> None:
    server = find_server(settings.home)
    backend, artifacts = (server.backend, server.artifacts) if server else (SQLITE, FOLDER)
    if (backend, artifacts) != (SQLITE, FOLDER) or settings.backend or settings.artifacts:
        raise UsageError(
            "`slipway backup` keeps what is in the home, and this server keeps its own elsewhere: back a PostgreSQL up "
            "with `pg_dump`, and a bucket by its own versions or a copy"
        )
    if not (settings.home / DATABASE).is_file():
        raise UsageError(
            f"there is nothing to back up in {settings.home}: no {DATABASE}; SLIPWAY_HOME names another home"
        )


def _require_ours(home: Path, file: Path) -> None:
    """Raise UsageError for a file within the home, and for an existing file that is no backup."""
    if file.is_relative_to(home.resolve()):
        raise UsageError(f"{file} is within what is backed up; name a file outside of {home}")
    if file.exists():
        try:
            with reading(file):
                pass
        except (FileUnusable, OSError):
            raise UsageError(f"{file} is there and is no backup of Slipway; name another file") from None


def _require_known(file: Path, tables_at: str) -> None:
    if tables_at not in known_revisions():
        raise UsageError(
            f"{file} is of a newer MLflow (its tables are at revision {tables_at}, those of the installed MLflow "
            f"{version('mlflow')} at {newest_revision()}); install the Slipway that wrote it"
        )


@contextmanager
def _os_errors_as_unusable(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        name = error.filename or path
        raise FileUnusable(f"{name} cannot be read or written: {error.strerror or error}") from error


def _facts(manifest: Manifest) -> dict[str, Any]:
    facts = manifest.model_dump(exclude={"files", "format"})
    return {**facts, "files": len(manifest.files), "bytes": manifest.size}


def _in_words(manifest: Manifest) -> str:
    counted = ", ".join(f"{number} {kind}" for kind, number in manifest.counts.items())
    return f"{counted}, {len(manifest.files)} files"
