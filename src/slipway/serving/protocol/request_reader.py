"""The reader of well-formed requests: JSON of MLflow's scoring protocol → rows of JSON scalars, read without pandas."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Annotated, Any, Literal, NamedTuple

import msgspec
from msgspec import UNSET, Meta, UnsetType

from slipway.serving.contract import InputColumn
from slipway.serving.protocol.escaped import reader, stand_ins
from slipway.serving.protocol.values import Row, Values
from slipway.types import JSON_FORMATS

LABELS, PROBABILITIES = "labels", "probabilities"

_Long = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]

_TYPES: dict[str, Any] = {
    "double": float | None,
    "string": str | _Long | float | bool | None,
    "long": _Long,
    "integer": Annotated[int, Meta(ge=-(2**31), le=2**31 - 1)],
    "boolean": bool,
    "datetime": str | _Long | float | None,
}

_STRICT: dict[str, Any] = {"string": str | _Long | float | bool, "datetime": str | _Long | float}
"""The types of values that may not be null in `instances` and `inputs`."""

_NUL = b"\\u0000"

# So many commas a value: a body with more holds too many rows, or a text of commas, and is read by another process. The
# decoder does not let go of the interpreter while it reads, some milliseconds a million values.
_LOOSE = 2

_PIECE = 1 << 20

_plain = msgspec.structs.astuple


class RequestRows(NamedTuple):
    """The rows of a request.

    Attributes:
        rows: The values of each row, in the order of the signature, as the caller wrote them.
        probabilities: Whether the caller asks for probabilities instead of labels.
    """

    rows: Sequence[Row]
    probabilities: bool


def outputs_of(classes: Sequence[Any] | None, *, probabilities: bool) -> tuple[str, ...]:
    """Return the outputs that a request may choose between with `params`; none for a regressor, whose classes are None."""
    if classes is None:
        return ()
    return (LABELS, PROBABILITIES) if probabilities else (LABELS,)


class RequestReader:
    """Reads the rows of well-formed requests for one signature. Every other request is left to MLflow's own parsing."""

    def __init__(self, columns: Sequence[InputColumn], outputs: Sequence[str], max_rows: int):
        """Build the decoders of a signature.

        Args:
            columns: The inputs of the signature, in their order.
            outputs: The outputs that a request may name, as `outputs_of` returns them.
            max_rows: The number of rows that is allowed. A few more than that are read, many more are not.

        Raises:
            ValueError: A column has a type that only MLflow reads.
        """
        if other := next((column for column in columns if column.type not in _TYPES), None):
            raise ValueError(f"column '{other.name}' is of type {other.type}, which only the model itself reads")
        self._names = tuple(column.name for column in columns)
        self._types = {column.name: _TYPES[column.type] for column in columns}
        self.values = Values(columns)
        self._most_commas = _LOOSE * max_rows * (len(columns) + 1)
        spelled = stand_ins(self._names)
        self._decode: Callable[[bytes], Any] = reader(
            self._names, spelled, _request(columns, spelled, self._types, outputs)
        )
        self._decode_any_order = msgspec.json.Decoder(_ANY_ORDER).decode
        self._in_order = lru_cache(maxsize=16)(self._make_reader)

    def rows(self, body: bytes) -> RequestRows | None:
        """Return the rows of a request, not yet read as `values` reads them; None when the request is for MLflow to read."""
        if len(body) > self._most_commas and _has_more(body, b",", self._most_commas):
            return None
        try:
            request = self._decode(body)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return self._rows_of_other_order(body) if b'"dataframe_split"' in body else None
        parts = (request.dataframe_records, request.dataframe_split, request.instances, request.inputs)
        given = [part for part in parts if part is not UNSET]
        if len(given) != 1 or _NUL in body:
            return None
        part = given[0]
        rows: Sequence[Row] | None
        if part is request.dataframe_split:
            if part.columns != self._names:
                return self._rows_of_other_order(body)
            rows = part.data if _is_plain(part.index, len(part.data)) else None
        elif part is request.inputs:
            rows = _transposed(_plain(part))
        else:
            rows = [_plain(row) for row in part]
        if not rows:
            return None
        return RequestRows(rows, request.params is not UNSET and request.params.output == PROBABILITIES)

    def _rows_of_other_order(self, body: bytes) -> RequestRows | None:
        """Read a `dataframe_split` whose columns are in another order than the signature's."""
        try:
            split = self._decode_any_order(body).dataframe_split
            if len(split.columns) != len(self._names) or set(split.columns) != set(self._names):
                return None
            decode, pick = self._in_order(split.columns)
            data = decode(split.data)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return None
        if not data or _NUL in body or not _is_plain(split.index, len(data)):
            return None
        return RequestRows([pick(row) for row in data], False)

    def _make_reader(self, order: tuple[str, ...]) -> Any:
        kinds = tuple(self._types[name] for name in order)
        at = [order.index(name) for name in self._names]
        decode = msgspec.json.Decoder(list[tuple[kinds]]).decode  # type: ignore[valid-type]
        return decode, itemgetter(*at) if len(at) > 1 else tuple


def _request(
    columns: Sequence[InputColumn], spelled: Sequence[str], types: dict[str, Any], outputs: Sequence[str]
) -> Any:
    """Return the type of a request. Its decoder refuses everything else, unknown keys too.

    spelled: the names of the columns as the fields of a row have them.
    """
    fields = [f"column_{number}" for number in range(len(columns))]
    names = [column.name for column in columns]
    renamed = dict(zip(fields, spelled, strict=True))

    def row(name: str, kinds: Sequence[Any]) -> Any:
        return _struct(name, list(zip(fields, kinds, strict=True)), rename=renamed)

    kinds = [types[name] for name in names]
    # As numpy reads them, a text or a time that is null is no longer missing.
    strict = [_STRICT.get(column.type, kind) for column, kind in zip(columns, kinds, strict=True)]
    split = _struct(
        "Split",
        [
            ("columns", tuple[str, ...]),
            ("data", list[tuple[tuple(kinds)]]),  # type: ignore[misc]
            ("index", list[int] | UnsetType, UNSET),
        ],
    )
    # A classifier's alone: of other models MLflow ignores the values of params.
    params: Any = UnsetType
    if outputs:
        params = _struct("Params", [("output", Literal[tuple(outputs)])]) | UnsetType
    records = list.__class_getitem__(row("Record", kinds))
    instances = list.__class_getitem__(row("Instance", strict))
    inputs = row("Inputs", [list.__class_getitem__(kind) for kind in strict])
    formats = zip(JSON_FORMATS, (records, split, instances, inputs), strict=True)
    return _struct("Request", [*((key, kind | UnsetType, UNSET) for key, kind in formats), ("params", params, UNSET)])


def _struct(name: str, fields: list[Any], **options: Any) -> Any:
    return msgspec.defstruct(name, fields, forbid_unknown_fields=True, gc=False, **options)


_ANY_ORDER = _struct(
    "AnyOrder",
    [
        (
            "dataframe_split",
            _struct(
                "SplitOfAnyOrder",
                [("columns", tuple[str, ...]), ("data", msgspec.Raw), ("index", list[int] | UnsetType, UNSET)],
            ),
        )
    ],
)


def _has_more(body: bytes, mark: bytes, most: int) -> bool:
    """Whether a body holds a mark more than so many times; counted by pieces, so that other threads have their turns."""
    count = 0
    for at in range(0, len(body), _PIECE):
        count += body.count(mark, at, at + _PIECE)
        if count > most:
            return True
    return False


def _is_plain(index: list[int] | UnsetType, rows: int) -> bool:
    """Whether an index says nothing but the numbers of the rows."""
    return index is UNSET or index == list(range(rows))


def _transposed(columns: Sequence[Sequence[object]]) -> list[Row] | None:
    try:
        return list(zip(*columns, strict=True))
    except ValueError:
        return None
