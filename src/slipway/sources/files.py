"""The files of a source: one path, a folder or a pattern, here, on S3 or at a https address."""

import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from pyarrow.fs import FileInfo, FileSelector, FileType, LocalFileSystem

from slipway.core.spec import ENDINGS, Format, Source, ending_of
from slipway.core.urls import Url
from slipway.errors import FileUnusable
from slipway.sources.limits import limits_of
from slipway.sources.secrets import Secrets

_WILD = re.compile(r"[*?\[]")
_COMPRESSION = {".gz": "gzip", ".zst": "zstd"}
_NO_PARTITION = "__HIVE_DEFAULT_PARTITION__"


@dataclass(frozen=True)
class Piece:
    """One file of a source.

    Attributes:
        place: the file system of the file.
        path: the path there.
        name: the name of the file for messages; its ending says the compression.
        stamp: size and time of change.
        partition: the values of the columns that the names of its folders hold, as in year=2024; None where missing.
    """

    place: Any
    path: str
    name: str
    stamp: tuple[int, int]
    partition: Mapping[str, str | None]

    @contextmanager
    def stream(self) -> Iterator[Any]:
        """Open the file for reading from its beginning, decompressed."""
        with self.place.open_input_stream(self.path, compression=_COMPRESSION.get(ending_of(self.name)[1])) as stream:
            yield stream


class Files:
    """The files of a source, in the order of their names. digest: the SHA-256 of a file that was downloaded."""

    def __init__(self, pieces: list[Piece], shown: str, open_files: ExitStack | None = None, digest: str = ""):
        self.pieces = pieces
        self.shown = shown
        self.digest = digest
        self._open_files = open_files or ExitStack()

    def changed(self) -> str:
        """Return the name of the first file that is not what it was; "" for none."""
        for place in {id(piece.place): piece.place for piece in self.pieces}.values():
            mine = [piece for piece in self.pieces if piece.place is place]
            for piece, info in zip(mine, place.get_file_info([piece.path for piece in mine]), strict=True):
                if _stamp(info) != piece.stamp:
                    return piece.name
        return ""

    def close(self) -> None:
        self._open_files.close()


def find_files(source: Source, url: Url, folder: Path, secrets: Secrets, endpoint: str | None) -> Files:
    """Find the files of a source. Raises FileUnusable where there is none.

    Args:
        source: the source.
        url: its address.
        folder: the folder that a path is relative to.
        secrets: the user and password of the address.
        endpoint: the value of MLFLOW_S3_ENDPOINT_URL.
    """
    if url.scheme in ("https", "http"):
        return _downloaded(source, url, secrets)
    if url.scheme == "s3":
        from slipway.sources._s3 import s3_files

        place, path, shown = s3_files(endpoint), f"{url.host}{url.path}", url.shown
    else:
        given = unquote(url.path) if url.scheme == "file" else url.path
        place, path = LocalFileSystem(), str(folder / given)
        shown = path
    assert source.kind is not None
    return Files(_pieces(place, path, shown, source.kind), shown)


def _downloaded(source: Source, url: Url, secrets: Secrets) -> Files:
    from slipway.sources._download import download

    auth = (secrets.user, secrets.password) if url.user else None
    file, digest = download(url.shown, url.shown, auth, source.sha256, limits_of(source))
    opened = ExitStack()
    opened.enter_context(file)
    place, path = LocalFileSystem(), f"/proc/self/fd/{file.fileno()}"
    name = url.file.rpartition("/")[2]
    return Files([Piece(place, path, name, _stamp(place.get_file_info(path)), {})], url.shown, opened, digest)


def _pieces(place: Any, path: str, shown: str, kind: Format) -> list[Piece]:
    info = place.get_file_info(path.rstrip("/"))
    if info.type == FileType.File:
        return [_piece(place, info, "")]
    if info.type == FileType.Directory:
        found = [each for each in _below(place, info.path) if _is_of(each.path[len(info.path) :], kind)]
        if not found:
            endings = ", ".join(ending for ending, format_ in ENDINGS.items() if format_ is kind)
            raise FileUnusable(f"the folder {shown} has no file that ends in {endings}; name other files by a pattern")
        return [_piece(place, each, info.path) for each in found]
    wild = _WILD.search(path)
    if wild is None:
        raise FileUnusable(f"there is no file {shown}")
    base = path[: wild.start()].rpartition("/")[0]
    pattern = _as_regex(path)
    found = [each for each in _below(place, base) if pattern.fullmatch(each.path)]
    if not found:
        raise FileUnusable(f"there is no file {shown}; no file matches this pattern")
    return [_piece(place, each, base) for each in found]


def _below(place: Any, base: str) -> list[FileInfo]:
    """Return the files below a folder, by name; hidden ones and those that are not finished are left out."""
    every = place.get_file_info(FileSelector(base, recursive=True, allow_not_found=True))
    below = [info for info in every if info.type == FileType.File]
    return sorted((info for info in below if not _is_hidden(info.path[len(base) :])), key=lambda info: info.path)


def _is_hidden(path: str) -> bool:
    return any(part.startswith((".", "_")) and "=" not in part for part in path.split("/"))


def _is_of(path: str, kind: Format) -> bool:
    return ENDINGS.get(ending_of(path)[0]) is kind


def _piece(place: Any, info: FileInfo, base: str) -> Piece:
    folders = info.path[len(base) :].split("/")[:-1] if base else []
    pairs = [part.partition("=") for part in folders if "=" in part]
    partition = {name: None if value == _NO_PARTITION else unquote(value) for name, _, value in pairs}
    return Piece(place, info.path, info.path, _stamp(info), partition)


def _stamp(info: FileInfo) -> tuple[int, int]:
    return (info.size or 0, info.mtime_ns or 0) if info.type == FileType.File else (-1, -1)


def _as_regex(pattern: str) -> re.Pattern[str]:
    """Translate a pattern of a shell: ** stands for any folders, * and ? for signs of one name."""
    parts = re.split(r"(\*\*/|\*\*|\*|\?|\[[^\]/]+\])", pattern)
    known = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    return re.compile(
        "".join(
            known.get(part)
            or (
                f"[{part[1:-1].replace('!', '^', 1) if part[1:2] == '!' else part[1:-1]}]" if i % 2 else re.escape(part)
            )
            for i, part in enumerate(parts)
        )
    )
