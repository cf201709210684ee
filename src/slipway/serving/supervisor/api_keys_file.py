"""A file of API keys, one a line. It is read again when it changes, so that keys are replaced without a restart."""

import hashlib
from collections.abc import Callable, Iterable
from pathlib import Path

from slipway.errors import FileUnusable, UsageError


def hashed(keys: Iterable[str]) -> tuple[str, ...] | None:
    """Return the SHA-256 of keys, in hex; None for no keys at all. A hash does not give its key away."""
    return tuple(hashlib.sha256(key.encode()).hexdigest() for key in keys) or None


class KeysFile:
    """A file of API keys, one a line. Empty lines and lines that start with # do not count.

    Raises FileUnusable where the file cannot be read, UsageError where no key is in it.
    """

    def __init__(self, path: Path):
        self._path = path
        self._read_at = self._said_at = self._changed_at()
        self._hashes = self._read()

    def hashes(self) -> tuple[str, ...]:
        """Return the hashes of the keys that were read last."""
        return self._hashes

    def changed(self, say: Callable[[str], None]) -> bool:
        """Read the file again if it was written to, and return whether its keys were replaced.

        A file that cannot be read leaves the keys as they are. `say` is told so once: whoever took a key out of the file has to
        know that the key stays valid.
        """
        at = self._changed_at()
        if at == self._read_at:
            return False
        try:
            self._hashes = self._read()
        except (UsageError, FileUnusable) as error:
            if at != self._said_at:
                say(f"{error}; the keys that were read before stay valid")
            self._said_at = at
            return False
        self._read_at = self._said_at = at
        return True

    def _read(self) -> tuple[str, ...]:
        try:
            lines = [line.strip() for line in self._path.read_text(encoding="utf-8").splitlines()]
        except (OSError, UnicodeDecodeError) as error:
            raise FileUnusable(f"the API keys in {self._path} cannot be read: {error}") from None
        hashes = hashed(line for line in lines if line and not line.startswith("#"))
        if hashes is None:
            raise UsageError(f"there is no API key in {self._path}; write one a line")
        return hashes

    def _changed_at(self) -> int:
        try:
            return self._path.stat().st_mtime_ns
        except OSError:
            return 0
