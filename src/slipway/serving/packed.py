"""A plan on its way from a back to the fronts: pickled once, opened where it is used, never in between."""

import pickle
from dataclasses import dataclass
from typing import Any

import cloudpickle


@dataclass(frozen=True)
class Packed:
    """A pickle and the arrays that go beside it. Pickled as Unpacking, it arrives as what it holds."""

    head: bytes
    buffers: tuple[bytearray, ...]

    def __reduce__(self) -> tuple[Any, ...]:
        return Packed, (self.head, tuple(pickle.PickleBuffer(each) for each in self.buffers))


@dataclass(frozen=True)
class Unpacking:
    """Pickles as a packed value and arrives as the value itself."""

    packed: Packed

    def __reduce__(self) -> tuple[Any, ...]:
        return _opened, (self.packed.head, *(pickle.PickleBuffer(each) for each in self.packed.buffers))


def packed(value: object) -> Packed:
    """Pack a value of our own processes."""
    buffers: list[pickle.PickleBuffer] = []
    # A plan's answers are functions made while it was compiled, which only cloudpickle writes down.
    head = cloudpickle.dumps(value, protocol=5, buffer_callback=buffers.append)
    return Packed(head, tuple(bytearray(buffer.raw()) for buffer in buffers))


def _opened(head: bytes, *buffers: Any) -> Any:
    return pickle.loads(head, buffers=buffers)  # noqa: S301 packed by a process of ours
