"""Numbers in an unnamed file that several processes map: each process sees what another one writes, and no file is left."""

import mmap
import os
import tempfile
from multiprocessing import reduction
from typing import Any


class SharedFloats:
    """`size` floats in `values`, 0 at first. Can be handed to a process that is started."""

    def __init__(self, size: int, *, _file: int | None = None):
        if _file is None:
            with tempfile.TemporaryFile() as file:
                file.truncate(8 * size)
                _file = os.dup(file.fileno())
        self._size, self._file = size, _file
        self._map = mmap.mmap(_file, 8 * size)
        self.values = memoryview(self._map).cast("d")

    def __reduce__(self) -> tuple[Any, ...]:
        return _attach, (self._size, reduction.DupFd(self._file))


def _attach(size: int, file: Any) -> SharedFloats:
    return SharedFloats(size, _file=file.detach())
