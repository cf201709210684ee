"""The file of a backup: a zip archive of the home's files, and a manifest that says of each its size and SHA-256.

The archive is written and read a piece at a time. No file of it counts before it was compared with the manifest.
"""

import hashlib
import shutil
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from slipway.errors import FileUnusable
from slipway.tracking.home import is_kept

MANIFEST = "slipway-backup.json"
_PIECE = 2**20
_MAX_MANIFEST = 2**28  # bytes: about a million files


class Member(BaseModel):
    """A file of the archive. mode: its permissions."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    size: Annotated[int, Field(ge=0)]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    mode: Annotated[int, Field(ge=0, le=0o777)]


class Manifest(BaseModel):
    """The facts of a backup.

    Attributes:
        format: the version of this format.
        slipway: the version of Slipway that wrote the backup.
        mlflow: the version of MLflow.
        made: the time, UTC, ISO 8601.
        revision: the revision of MLflow's tables.
        counts: how many experiments, runs, models and versions the database holds.
        files: the files by name.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal[1] = 1
    slipway: str
    mlflow: str
    made: str
    revision: str
    counts: dict[str, int]
    files: dict[str, Member] = Field(repr=False)

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(member.size for member in self.files.values())


class ArchiveWriter:
    """A new archive: files are added one by one, and the manifest at the end."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._archive = zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=1)
        self.files: dict[str, Member] = {}

    def add(self, name: str, source: Path, on_bytes: Callable[[int], object]) -> None:
        """Add a file under a name. Raises FileNotFoundError when the file is gone."""
        with source.open("rb") as read:
            info = zipfile.ZipInfo.from_file(source, name, strict_timestamps=False)
            info.compress_type = zipfile.ZIP_DEFLATED
            with self._archive.open(info, "w", force_zip64=True) as written:
                size, digest = _copy(read, written, on_bytes)
        self.files[name] = Member(size=size, sha256=digest, mode=(info.external_attr >> 16) & 0o777)

    def finish(self, manifest: Manifest) -> None:
        """Write the manifest; without it, the archive is no backup."""
        self._archive.writestr(MANIFEST, manifest.model_dump_json())

    def __enter__(self) -> "ArchiveWriter":
        return self

    def __exit__(self, *_: object) -> None:
        self._archive.close()


class ArchiveReader:
    """An archive with a valid manifest, which lists just the files of the archive."""

    def __init__(self, archive: zipfile.ZipFile, manifest: Manifest) -> None:
        self._archive, self.manifest = archive, manifest

    def extract(self, folder: Path, on_bytes: Callable[[int], object]) -> None:
        """Write all files into `folder`, which is empty. Raises FileUnusable at the first file with another size or digest."""
        room = shutil.disk_usage(folder).free
        if self.manifest.size > room:
            raise FileUnusable(f"{folder} has room for {room} bytes; the backup needs {self.manifest.size}")
        for name, member in self.manifest.files.items():
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            with self._archive.open(name) as read, target.open("xb") as written:
                target.chmod(member.mode)
                copied = _copy(read, written, on_bytes, most=member.size + 1)
            if copied != (member.size, member.sha256):
                raise FileUnusable(f"{name} is not what was backed up: its SHA-256 is another; nothing was restored")


@contextmanager
def reading(file: Path) -> Iterator[ArchiveReader]:
    """Open a backup. Raises FileUnusable for a file that is no backup, is damaged, or holds names that no backup holds."""
    try:
        with zipfile.ZipFile(file) as archive:
            yield ArchiveReader(archive, _manifest(archive))
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        why = str(error) or "it ends early"
        raise FileUnusable(f"{file} is no whole backup of Slipway: {why}; take another") from error
    except _Strange as error:
        raise FileUnusable(f"{file} is no backup of Slipway: {error}; nothing of it was taken") from error


class _Strange(Exception):
    pass


def _manifest(archive: zipfile.ZipFile) -> Manifest:
    if MANIFEST not in archive.namelist():
        raise _Strange(f"it has no {MANIFEST}")
    _require_plain(archive.getinfo(MANIFEST))
    with archive.open(MANIFEST) as file:
        text = file.read(_MAX_MANIFEST + 1)
    if len(text) > _MAX_MANIFEST:
        raise _Strange("its manifest is too long")
    try:
        manifest = Manifest.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "all"
        raise _Strange(f"its manifest makes no sense ({where}: {first['msg']})") from error
    names = archive.namelist()
    if sorted(names) != sorted([*manifest.files, MANIFEST]):
        strange = sorted({name for name in names if names.count(name) > 1} | (set(names) ^ {*manifest.files, MANIFEST}))
        raise _Strange(f"its files are not those of its manifest ({', '.join(strange[:3])})")
    for info in archive.infolist():
        _require_plain(info)
    return manifest


def _require_plain(info: zipfile.ZipInfo) -> None:
    kind, path = stat.S_IFMT(info.external_attr >> 16), PurePosixPath(info.filename)
    outside = path.is_absolute() or ".." in path.parts or "\\" in info.filename or str(path) != info.filename
    if outside or not is_kept(path.parts[0]):
        raise _Strange(f"'{info.filename}' would be written where nothing is restored to")
    if kind not in (0, stat.S_IFREG):
        raise _Strange(f"'{info.filename}' is a link or a device")
    if info.flag_bits & 1 or info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise _Strange(f"'{info.filename}' is encrypted or compressed in another way")


def _copy(
    read: IO[bytes], written: IO[bytes], on_bytes: Callable[[int], object], *, most: int | None = None
) -> tuple[int, str]:
    """Copy to the end, or up to `most` bytes; return how many bytes were copied, and their SHA-256."""
    digest, size = hashlib.sha256(), 0
    while piece := read.read(_PIECE if most is None else min(_PIECE, most - size)):
        written.write(piece)
        digest.update(piece)
        size += len(piece)
        on_bytes(len(piece))
    return size, digest.hexdigest()
