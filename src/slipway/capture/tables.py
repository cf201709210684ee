"""Tables of the records of one version, gathered until they are written: one of requests, or one of labels."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from slipway.capture.columns import TYPES, kind_of, typed
from slipway.capture.parsing import loaded, predictions_of, rows_of
from slipway.sharedmem import AnsweringVersion, Record

OURS = "slipway_"
"""Prefix of the names of all columns that are no inputs."""
TIME, REQUEST, ROW = f"{OURS}time", f"{OURS}request_id", f"{OURS}row"
MODEL, VERSION, STAGE = f"{OURS}model", f"{OURS}version", f"{OURS}stage"
PREDICTION, PROBABILITY = f"{OURS}prediction", f"{OURS}probability_"
EXTRA, BODY = f"{OURS}extra", f"{OURS}body"
LABEL, LABELLED = f"{OURS}label", f"{OURS}labelled_at"
_INSTANT = pa.timestamp("us", tz="UTC")


class Requests:
    """Answered requests of one version. Values that no input's column can hold are JSON in EXTRA. records: their number."""

    def __init__(self, about: AnsweringVersion):
        self._about = about
        self._inputs = {n: kind for n, kind in about.inputs if kind in TYPES and not n.startswith(OURS)}
        self._columns: dict[str, list[Any]] = {name: [] for name in (*self._inputs, PREDICTION)}
        self._probabilities: list[Sequence[float] | None] = []
        self._extra: dict[int, dict[str, Any]] = {}
        self._times: list[int] = []
        self._ids: list[str] = []
        self._rows: list[int] = []
        self._stages: list[str] = []
        self._bodies: dict[int, bytes] = {}
        self.records = 0

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, record: Record, stage: str) -> None:
        """Take a request and its answer, whatever they hold. stage: the stage that the version was in."""
        self.records += 1
        first, predictions = len(self), predictions_of(record.answer)
        rows = rows_of(record.body, record.content_type.decode("latin-1"), self._about.inputs)
        count = rows.count if rows else len(predictions or ()) or 1
        if not rows:
            self._bodies[first] = record.body
        self._ids += [record.request_id.decode("ascii", "replace")] * count
        self._times += [int(record.at * 1e6)] * count
        self._rows += range(count)
        self._stages += [stage] * count
        self._add_inputs(rows.columns if rows else {}, count, first)
        if predictions is None or len(predictions) != count:
            answer = record.answer.decode("utf-8", "replace") if predictions is None else predictions
            self._extra.setdefault(first, {})[f"{OURS}answer"] = answer
            predictions = [None] * count
        self._add_predictions(predictions)

    def table(self) -> Any:
        """Return the gathered requests as an Arrow table."""
        ours = {
            TIME: pa.array(self._times, _INSTANT),
            REQUEST: pa.array(self._ids, pa.string()),
            ROW: pa.array(self._rows, pa.int32()),
        }
        ours |= _of_version(self._about, len(self)) | {STAGE: pa.array(self._stages, pa.string())}
        for name, kind in self._inputs.items():
            ours[name] = self._typed(name, kind)
        ours[PREDICTION] = self._typed(PREDICTION, kind_of(self._about.output, self._about.classes))
        for at, label in enumerate(self._about.classes or ()):
            ours[f"{PROBABILITY}{label}"] = pa.array([each and each[at] for each in self._probabilities], pa.float64())
        extra = [json.dumps(self._extra[at], default=str) if at in self._extra else None for at in range(len(self))]
        ours[EXTRA] = pa.array(extra, pa.string())
        ours[BODY] = pa.array([self._bodies.get(at) for at in range(len(self))], pa.binary())
        return pa.table(ours)

    def _add_inputs(self, columns: Mapping[str, Sequence[Any]], count: int, first: int) -> None:
        for name in self._inputs:
            self._columns[name] += columns.get(name) or [None] * count
        for name in columns.keys() - self._inputs.keys():
            for at, value in enumerate(columns[name]):
                if value is not None:
                    self._extra.setdefault(first + at, {})[name] = value

    def _add_predictions(self, predictions: Sequence[Any]) -> None:
        classes = self._about.classes
        for value in predictions:
            rates = isinstance(value, list) and classes is not None and len(value) == len(classes)
            rates = rates and all(isinstance(each, int | float) for each in value)
            self._probabilities.append(value if rates else None)
            self._columns[PREDICTION].append(None if rates else value)

    def _typed(self, name: str, kind: str) -> Any:
        values = self._columns[name]
        if not kind:
            values = [None if value is None else json.dumps(value, default=str) for value in values]
        column, other = typed(values, kind or "string")
        for at, value in other.items():
            self._extra.setdefault(at, {})[name] = value
        return column


class Labels:
    """Labels of one version: the true values, by request and row, checked when they came. records: number of their records."""

    def __init__(self, about: AnsweringVersion):
        self._about = about
        self._rows: list[tuple[int, str, int, Any]] = []
        self.records = 0

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, record: Record, _stage: str) -> None:
        """Take the labels of a record."""
        self.records += 1
        at = int(record.at * 1e6)
        self._rows += [(at, request_id, row, label) for request_id, row, label in loaded(record.body)]

    def table(self) -> Any:
        """Return the gathered labels as an Arrow table."""
        times, ids, rows, labels = (list(column) for column in zip(*self._rows, strict=True))
        kind = kind_of(self._about.output, self._about.classes)
        if self._about.classes is None:
            kind = "double"
        plain = labels if kind else [json.dumps(label) for label in labels]
        ours = {
            LABELLED: pa.array(times, _INSTANT),
            REQUEST: pa.array(ids),
            ROW: pa.array(rows, pa.int32()),
            LABEL: typed(plain, kind or "string")[0],
        }
        return pa.table(ours | {MODEL: _of_version(self._about, len(self))[MODEL]})


def _of_version(about: AnsweringVersion, count: int) -> dict[str, Any]:
    return {
        MODEL: pa.array([about.model] * count, pa.string()),
        VERSION: pa.array([about.version] * count, pa.int64()),
    }
