"""Plans as bytes that hold no code: JSON that names types and functions of a fixed list, and beside it the arrays.

Layout: MAGIC, eight bytes of the JSON's length, the JSON, and each array at a multiple of 64 bytes. Arrays are not copied when
a plan is opened. The bytes have to come from a trusted place all the same: the native code does not check the numbers.
"""

import json
import struct
from collections.abc import Sequence
from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from slipway.plans import answers, columns, compiled, curves, forests, head, program, votes

MAGIC = b"slipway plan 1\n\0"
_LENGTH = struct.Struct("<Q")
_ALIGNED = 64

_TYPES: dict[str, Any] = {
    each.__name__: each
    for each in (
        *(answers.Always, answers.Best, answers.Divided, answers.FirstSum, answers.Inverse, answers.SparseSums),
        *(answers.Sums, answers.Threshold, answers.Through, answers.Turned),
        *(columns.NumberColumn, columns.RowEncoder, columns.TextColumn, compiled.Compiled),
        *(curves.Calibrated, curves.Isotonic, curves.Mean, curves.Sigmoid),
        *(forests.LeafForest, forests.ValueForest, head.Head),
        *(votes.MeanProbabilities, votes.MeanValues),
        *(program.Function, program.Operations, program.Program),
    )
}
_FUNCTIONS = {function.__name__: function for function in head.FUNCTIONS}
_KINDS = "biufU"
_PLAIN = (str, bool, int, float, type(None))


class NotStorable(TypeError):
    """A plan holds something that has no place in its file."""


def stored(plan: compiled.Compiled) -> bytearray:
    """Return a plan as bytes; the same plan gives the same bytes. Raises NotStorable, such as for labels that are dates."""
    writer = _Writer()
    header = json.dumps({"plan": writer.written(plan), "arrays": writer.layouts}).encode()
    out = bytearray(MAGIC + _LENGTH.pack(len(header)) + header)
    for array in writer.arrays:
        out += bytes(-len(out) % _ALIGNED)
        out += array.tobytes()
    return out


def opened(content: bytearray | memoryview) -> compiled.Compiled:
    """Return the plan that `stored` wrote; its arrays are views of `content`, which has to be writable.

    Raises ValueError for any other bytes.
    """
    view = memoryview(content)
    start = len(MAGIC) + _LENGTH.size
    if len(view) < start or view[: len(MAGIC)] != MAGIC:
        raise ValueError("these are not the bytes of a plan")
    (length,) = _LENGTH.unpack_from(view, len(MAGIC))
    try:
        header = json.loads(bytes(view[start : start + length]))
        plan = _read(header["plan"], _arrays(header["arrays"], view, start + length))
    except (LookupError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"these bytes are no plan: {error}") from None
    if not isinstance(plan, compiled.Compiled):
        raise ValueError("these bytes are another thing than a plan")
    return plan


class _Writer:
    """Turns values into JSON.

    Attributes:
        arrays: the arrays beside the JSON, each once however often it is used.
        layouts: for each array its type, its shape, and whether it is stored transposed.
    """

    def __init__(self) -> None:
        self.arrays: list[NDArray[Any]] = []
        self.layouts: list[Any] = []
        self._known: dict[int, tuple[int, NDArray[Any]]] = {}

    def written(self, value: Any) -> Any:
        if type(value) in _PLAIN:
            return value
        if isinstance(value, np.ndarray):
            return self._array(value)
        if isinstance(value, np.generic):
            return {"scalar": self._array(np.asarray(value))}
        if type(value) in (tuple, list):
            return [self.written(each) for each in value]
        name = type(value).__name__
        if _TYPES.get(name) is type(value):
            return {"type": name, "of": [self.written(getattr(value, field.name)) for field in fields(value)]}
        called = getattr(value, "__name__", "")
        if isinstance(value, np.ufunc) and getattr(np, called, None) is value:
            return {"numpy": called}
        if called in _FUNCTIONS and _FUNCTIONS[called] is value:
            return {"function": called}
        raise NotStorable(f"a {type(value).__module__}.{name} cannot be kept in a plan")

    def _array(self, array: NDArray[Any]) -> Any:
        if array.dtype.kind == "O":
            values = array.tolist()
            if array.ndim != 1 or any(type(value) not in _PLAIN for value in values):
                raise NotStorable("an array of objects that are not plain values cannot be kept in a plan")
            return {"objects": values}
        if array.dtype.kind not in _KINDS:
            raise NotStorable(f"an array of {array.dtype} cannot be kept in a plan")
        if id(array) not in self._known:
            # The order of memory is kept, as numpy's pickles keep it: BLAS adds up in another order for another layout.
            turned = array.flags.f_contiguous and not array.flags.c_contiguous
            self._known[id(array)] = len(self.arrays), array  # referenced, so that no other array gets its id
            self.arrays.append(array.T if turned else array)
            self.layouts.append([array.dtype.str, list(array.shape), turned])
        return {"array": self._known[id(array)][0]}


def _read(node: Any, arrays: Sequence[NDArray[Any]]) -> Any:
    if isinstance(node, list):
        return tuple(_read(each, arrays) for each in node)
    if not isinstance(node, dict):
        return node
    if "type" in node:
        return _TYPES[node["type"]](*(_read(each, arrays) for each in node["of"]))
    if "array" in node:
        return arrays[node["array"]]
    if "objects" in node:
        return np.array(node["objects"], dtype=object)
    if "scalar" in node:
        return _read(node["scalar"], arrays)[()]
    if "numpy" in node:
        function = getattr(np, node["numpy"])
        if isinstance(function, np.ufunc):
            return function
        raise TypeError(f"numpy.{node['numpy']} is no function of numbers")
    return _FUNCTIONS[node["function"]]


def _arrays(layouts: Any, view: memoryview, at: int) -> list[NDArray[Any]]:
    """Return the arrays that follow each other from byte `at` on."""
    arrays = []
    for name, shape, turned in layouts:
        kind = np.dtype(name)
        if kind.kind not in _KINDS:
            raise TypeError(f"arrays of {kind} are not kept in plans")
        at += -at % _ALIGNED
        count = int(np.prod(shape, dtype=np.int64))
        # An empty array may lie at the very end, where numpy finds no buffer for it.
        flat = np.frombuffer(view, kind, count, at) if count else np.zeros(0, kind)
        arrays.append(flat.reshape(shape[::-1]).T if turned else flat.reshape(shape))
        at += count * kind.itemsize
    return arrays
