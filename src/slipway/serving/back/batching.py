"""Rows that are asked for at the same time are answered by one call of the model, with the bytes of one call each.

For a model that is not compiled. While the model is at work on some rows others arrive; they are taken together next, so nobody
waits for a batch to fill. Whether a model answers each row as if it were alone is tried when it is loaded, not believed.
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

MOST_ROWS = 64
"""Of requests that are answered together: more would let the first of them wait longer than it gains."""

_JSON = "application/json"
_NO_LIMIT_S = 3600.0


class _Read(NamedTuple):
    """The rows of a request. place: which one it is of those that are answered."""

    place: int
    rows: Sequence[Any]
    finds: tuple[Find, ...]


class MicroBatching:
    """What a back answers with. max_rows: of a request that is no JSON; JSON was counted before it came here."""

    def __init__(self, loaded_model: LoadedModel, max_rows: int):
        self._loaded_model, self._max_rows = loaded_model, max_rows
        self._reading: RequestReader | None = None
        self._making = threading.Lock()

    @property
    def scoring(self) -> MlflowScoring:
        """MLflow's way to answer; made when it is first asked for."""
        with self._making:
            return self._scoring

    @cached_property
    def _scoring(self) -> MlflowScoring:
        return MlflowScoring(self._loaded_model, self._max_rows)

    def warm(self) -> None:
        """Get ready for every request, and find out whether rows may be answered together."""
        self.scoring  # noqa: B018 - it is made here
        reading = _reading(self._loaded_model, self._max_rows)
        asks = [
            ModelRequest(number, time.monotonic() + _NO_LIMIT_S, _JSON, body)
            for number, body in enumerate(_trials(self._loaded_model))
        ]
        if reading is None or len(asks) < 2:
            return
        alone = [self.scoring.answer(ask) for ask in asks]
        self._reading = reading
        if dict(self.answers(asks)) != dict(enumerate(alone)):
            self._reading = None

    @property
    def together(self) -> bool:
        """Whether rows are answered together."""
        return self._reading is not None

    def answers(self, asks: Sequence[ModelRequest]) -> Iterable[tuple[int, ModelResponse]]:
        """Answer requests; each answer comes with the place of its request, as soon as it is there."""
        batch: list[_Read] = []
        alone: list[int] = []
        for place, ask in enumerate(asks):
            rows = self._rows(ask)
            if rows is None:
                alone.append(place)
                continue
            if batch and sum(len(each.rows) for each in batch) + len(rows) > MOST_ROWS:
                yield from self._together(asks, batch)
                batch = []
            assert self._reading is not None
            batch.append(_Read(place, *self._reading.values.of_rows(rows)))
        if batch:
            yield from self._together(asks, batch)
        for place in alone:
            yield place, self.scoring.answer(asks[place])

    def _rows(self, ask: ModelRequest) -> Sequence[Any] | None:
        if self._reading is None or ask.content_type != _JSON:
            return None
        request = self._reading.rows(ask.body)
        return request.rows if request and not request.probabilities and len(request.rows) <= MOST_ROWS else None

    def _together(self, asks: Sequence[ModelRequest], batch: "Sequence[_Read]") -> Iterable[tuple[int, ModelResponse]]:
        try:
            names = [column.name for column in self._loaded_model.signature.inputs]
            table = self._loaded_model.table(names, [row for read in batch for row in read.rows])
            answers = self._loaded_model.model.predict(table).tolist()
        except Exception:  # one of them is to blame, and only that one  # noqa: BLE001
            for read in batch:
                yield read.place, self.scoring.answer(asks[read.place])
            return
        at = 0
        for read in batch:
            body = json.dumps({"predictions": answers[at : at + len(read.rows)]}).encode()
            yield read.place, ModelResponse(asks[read.place].id, 200, _JSON, body, read.finds)
            at += len(read.rows)


def _reading(loaded_model: LoadedModel, max_rows: int) -> RequestReader | None:
    """What reads the rows of a well-formed request; None for a signature that only MLflow reads."""
    if loaded_model.asks_otherwise:
        return None
    signature = loaded_model.signature
    try:
        allowed = outputs_of(signature.classes, probabilities=signature.probabilities)
        return RequestReader(signature.inputs, allowed, max_rows)
    except ValueError:
        return None


def _trials(loaded_model: LoadedModel) -> list[bytes]:
    """Requests of one row each: those of the example, and the same with one value that is odd or missing."""
    example = loaded_model.example()
    if example is None:
        return []
    said = json.loads(loaded_model.signature.example or "")["dataframe_split"]
    rows = [dict(zip(said["columns"], row, strict=True)) for row in said["data"][:8]]
    odd: dict[str, list[Any]] = {"double": [None, -1e9, 0.0], "string": ["", "no such word"], "long": [0, -7]}
    for column in loaded_model.signature.inputs:
        values = [value for value in odd.get(column.type, []) if value is not None or not column.required]
        rows += [{**rows[0], column.name: value} for value in values]
    return [json.dumps({"dataframe_records": [row]}).encode() for row in rows]
