import json
from collections.abc import Callable, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Annotated, Any, Literal, NamedTuple

import msgspec
import numpy as np
from msgspec import UNSET, Meta, UnsetType
from numpy.typing import NDArray

from slipway.core.expectations import Find
from slipway.serving.contract import Generation, InputColumn, Plan
from slipway.serving.protocol.escaped import reader, stand_ins
from slipway.serving.protocol.limits import TooManyRows
from slipway.serving.protocol.values import Values

Row = Sequence[object]


_Long = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]


_TYPES: dict[str, Any] = {
    "double": float | None,
    "string": str | _Long | float | bool | None,
    "long": _Long,
    "integer": Annotated[int, Meta(ge=-(2**31), le=2**31 - 1)],
    "boolean": bool,
}


_NUL = b"\\u0000"


# So many commas a value: what has more holds too many rows, or a text of commas, and is read by another process. The decoder
# does not let go of the interpreter while it reads, some milliseconds a million values.
_LOOSE = 2


_PIECE = 1 << 20


_encode = json.JSONEncoder().encode


_plain = msgspec.structs.astuple


class Answered(NamedTuple):
    """An answer from a plan: its bytes, of how many rows, and what they hold that the contract does not expect."""

    body: bytes
    rows: int
    finds: tuple[Find, ...]


class FastPath:
    """Answers requests of one generation from its plan. values: what reads the rows that `rows` returns."""

    def __init__(self, generation: Generation, max_rows: int):
        """Raises ValueError when the generation has no plan, or one that is not of its signature."""
        if generation.plan is None:
            raise ValueError(generation.why_not)
        self._plan: Plan = generation.plan
        columns = generation.signature.inputs
        self._names = tuple(column.name for column in columns)
        if self._names != tuple(self._plan.inputs):
            raise ValueError("the columns of the signature are not those that the model was fitted on")
        if other := next((column for column in columns if column.type not in _TYPES), None):
            raise ValueError(f"column '{other.name}' is of type {other.type}, which only the model itself reads")
        self._types = {column.name: _TYPES[column.type] for column in columns}
        self.values = Values(columns)
        self._max_rows = max_rows
        self._most_commas = _LOOSE * max_rows * (len(columns) + 1)
        spelled = stand_ins(self._names)
        request = _request(columns, spelled, self._types, self._plan)
        self._decode: Callable[[bytes], Any] = reader(self._names, spelled, request)
        self._decode_any_order = msgspec.json.Decoder(_ANY_ORDER).decode
        self._reader = lru_cache(maxsize=16)(self._make_reader)

    def answer(self, body: bytes) -> "Answered | None":
        """Return the answer; None when it is for the model itself. Raises TooManyRows."""
        found = self.rows(body)
        if found is None:
            return None
        rows, probabilities = found
        if len(rows) > self._max_rows:
            raise TooManyRows(len(rows), self._max_rows)
        plan = self._plan
        rows, finds = self.values.of_rows(rows)
        try:
            encoded = plan.encode(rows)
            answers = plan.predict_proba(encoded) if probabilities else plan.predict(encoded)
        except ValueError:  # these rows are for the model itself
            return None
        return Answered(b'{"predictions": %b}' % _encode(answers.tolist()).encode(), len(rows), finds)

    def probabilities(self, body: bytes) -> NDArray[np.float64] | None:
        """Return the probabilities of a request's rows, whatever it asks for, shape (rows, classes); None where it has none."""
        found = self.rows(body) if self._plan.has_probabilities else None
        try:
            return self._plan.predict_proba(self._plan.encode(self.values.of_rows(found[0])[0])) if found else None
        except ValueError:
            return None

    def rows(self, body: bytes) -> tuple[Sequence[Row], bool] | None:
        """Return the rows of a request as it has them, and whether it asks for probabilities; None when it is not narrow."""
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
        return rows, request.params is not UNSET and request.params.output == "probabilities"

    def _rows_of_other_order(self, body: bytes) -> tuple[Sequence[Row], bool] | None:
        """Read a `dataframe_split` whose columns are in another order than the signature's."""
        try:
            split = self._decode_any_order(body).dataframe_split
            if len(split.columns) != len(self._names) or set(split.columns) != set(self._names):
                return None
            decode, pick = self._reader(split.columns)
            data = decode(split.data)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return None
        if not data or _NUL in body or not _is_plain(split.index, len(data)):
            return None
        return [pick(row) for row in data], False

    def _make_reader(self, order: tuple[str, ...]) -> Any:
        kinds = tuple(self._types[name] for name in order)
        at = [order.index(name) for name in self._names]
        decode = msgspec.json.Decoder(list[tuple[kinds]]).decode  # type: ignore[valid-type]
        return decode, itemgetter(*at) if len(at) > 1 else tuple


def _request(columns: Sequence[InputColumn], spelled: Sequence[str], types: dict[str, Any], plan: Plan) -> Any:
    """Return the type of a request; all that is not of it, unknown keys too, is refused by its decoder.

    spelled: the names of the columns as the fields of a row have them.
    """
    fields = [f"column_{number}" for number in range(len(columns))]
    names = [column.name for column in columns]
    renamed = dict(zip(fields, spelled, strict=True))

    def row(name: str, kinds: Sequence[Any]) -> Any:
        return _struct(name, list(zip(fields, kinds, strict=True)), rename=renamed)

    kinds = [types[name] for name in names]
    # As numpy reads them, a text that is null is no longer missing.
    strict = [
        str | _Long | float | bool if column.type == "string" else kind
        for column, kind in zip(columns, kinds, strict=True)
    ]
    split = _struct(
        "Split",
        [
            ("columns", tuple[str, ...]),
            ("data", list[tuple[tuple(kinds)]]),  # type: ignore[misc]
            ("index", list[int] | UnsetType, UNSET),
        ],
    )
    # A classifier's alone: of other models MLflow ignores what params hold.
    params: Any = UnsetType
    if plan.classes is not None:
        outputs = Literal["labels", "probabilities"] if plan.has_probabilities else Literal["labels"]
        params = _struct("Params", [("output", outputs)]) | UnsetType
    return _struct(
        "Request",
        [
            ("dataframe_records", list[row("Record", kinds)] | UnsetType, UNSET),  # type: ignore[misc]
            ("dataframe_split", split | UnsetType, UNSET),
            ("instances", list[row("Instance", strict)] | UnsetType, UNSET),  # type: ignore[misc]
            ("inputs", row("Inputs", [list.__class_getitem__(kind) for kind in strict]) | UnsetType, UNSET),
            ("params", params, UNSET),
        ],
    )


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
    found = 0
    for at in range(0, len(body), _PIECE):
        found += body.count(mark, at, at + _PIECE)
        if found > most:
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
