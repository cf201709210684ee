"""Micro-batching for a model that is not compiled: one call of the model answers the rows of several requests.

Rows that arrive while the model is at work are taken together next, so no request waits for a batch to fill. Each request is
answered with the very bytes that a call of its own would give. Whether a model answers each row as if the row were alone is
tried when the model is loaded, not taken for granted.
"""

import json
import threading
import time
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any, NamedTuple

from slipway.core.expectations import Find
from slipway.serving.back.loaded_model import LoadedModel
from slipway.serving.back.mlflow_scoring import MlflowScoring
from slipway.serving.ipc.frames import ModelRequest, ModelResponse
from slipway.serving.protocol.request_reader import RequestReader, outputs_of
from slipway.serving.protocol.values import Unreadable

MOST_ROWS = 64
"""Rows that are answered together at most: with more, the first request would wait longer than it gains."""

_JSON = "application/json"
_NO_LIMIT_S = 3600.0


class _Read(NamedTuple):
    """The rows of a request.

    Attributes:
        place: Place of the request among those that are answered.
        rows: Its rows.
        finds: Values that the contract does not expect.
    """

    place: int
    rows: Sequence[Any]
    finds: tuple[Find, ...]


class MicroBatching:
    """The answers of a back, by one call of the model for several requests where that is possible.

    loaded_model: the model. max_rows: of a request in CSV or Parquet; the rows of JSON were counted by the front.
    """

    def __init__(self, loaded_model: LoadedModel, max_rows: int):
        self._loaded_model, self._max_rows = loaded_model, max_rows
        self._reading: RequestReader | None = None
        self._making = threading.Lock()

    @property
    def scoring(self) -> MlflowScoring:
        """The answers of MLflow's own code; made when they are first needed."""
        with self._making:
            return self._scoring

    @cached_property
    def _scoring(self) -> MlflowScoring:
        return MlflowScoring(self._loaded_model, self._max_rows)

    def warm(self) -> None:
        """Prepare for every kind of request, and find out whether rows may be answered together."""
        self.scoring  # noqa: B018 - it is made here
        reading = _reading(self._loaded_model, self._max_rows)
        requests = [
            ModelRequest(number, time.monotonic() + _NO_LIMIT_S, _JSON, body)
            for number, body in enumerate(_trials(self._loaded_model))
        ]
        if reading is None or len(requests) < 2:
            return
        alone = [self.scoring.answer(request) for request in requests]
        self._reading = reading
        if dict(self.answers(requests)) != dict(enumerate(alone)):
            self._reading = None

    @property
    def together(self) -> bool:
        """Whether the rows of several requests are answered together."""
        return self._reading is not None

    def answers(self, requests: Sequence[ModelRequest]) -> Iterable[tuple[int, ModelResponse]]:
        """Answer requests; yield each answer with the place of its request, as soon as it is made."""
        batch: list[_Read] = []
        alone: list[int] = []
        for place, request in enumerate(requests):
            rows = self._rows(request)
            read = None if rows is None else self._read(place, rows)
            if rows is None or read is None:
                alone.append(place)
                continue
            if batch and sum(len(each.rows) for each in batch) + len(rows) > MOST_ROWS:
                yield from self._together(requests, batch)
                batch = []
            batch.append(read)
        if batch:
            yield from self._together(requests, batch)
        for place in alone:
            yield place, self.scoring.answer(requests[place])

    def _read(self, place: int, rows: Sequence[Any]) -> "_Read | None":
        """Return the rows as the model was trained on them; None where a value has no known meaning."""
        assert self._reading is not None
        try:
            return _Read(place, *self._reading.values.of_rows(rows))
        except Unreadable:
            return None

    def _rows(self, request: ModelRequest) -> Sequence[Any] | None:
        if self._reading is None or request.content_type != _JSON:
            return None
        rows = self._reading.rows(request.body)
        return rows.rows if rows and not rows.probabilities and len(rows.rows) <= MOST_ROWS else None

    def _together(
        self, requests: Sequence[ModelRequest], batch: "Sequence[_Read]"
    ) -> Iterable[tuple[int, ModelResponse]]:
        try:
            names = [column.name for column in self._loaded_model.signature.inputs]
            table = self._loaded_model.table(names, [row for read in batch for row in read.rows])
            answers = self._loaded_model.model.predict(table).tolist()
        except Exception:  # one request is to blame, and only that one is refused  # noqa: BLE001
            for read in batch:
                yield read.place, self.scoring.answer(requests[read.place])
            return
        at = 0
        for read in batch:
            body = json.dumps({"predictions": answers[at : at + len(read.rows)]}).encode()
            yield read.place, ModelResponse(requests[read.place].id, 200, _JSON, body, read.finds)
            at += len(read.rows)


def _reading(loaded_model: LoadedModel, max_rows: int) -> RequestReader | None:
    """Return the RequestReader of a well-formed request; None for a signature that only MLflow reads."""
    if loaded_model.beyond_predict:
        return None
    signature = loaded_model.signature
    try:
        allowed = outputs_of(signature.classes, probabilities=signature.probabilities)
        return RequestReader(signature.inputs, allowed, max_rows)
    except ValueError:
        return None


def _trials(loaded_model: LoadedModel) -> list[bytes]:
    """Return request bodies of one row each: rows of the input example, and the first with one value odd or missing."""
    example = loaded_model.example()
    if example is None:
        return []
    split = json.loads(loaded_model.signature.example or "")["dataframe_split"]
    rows = [dict(zip(split["columns"], row, strict=True)) for row in split["data"][:8]]
    odd: dict[str, list[Any]] = {"double": [None, -1e9, 0.0], "string": ["", "no such word"], "long": [0, -7]}
    for column in loaded_model.signature.inputs:
        values = [value for value in odd.get(column.type, []) if value is not None or not column.required]
        rows += [{**rows[0], column.name: value} for value in values]
    return [json.dumps({"dataframe_records": [row]}).encode() for row in rows]
