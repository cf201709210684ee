"""The fast path: a well-formed request is answered from the plan of a generation, without pandas and without the model."""

import json
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from slipway.core.expectations import Find
from slipway.serving.contract import Generation, Plan
from slipway.serving.protocol.limits import TooManyRows
from slipway.serving.protocol.request_reader import RequestReader, outputs_of

_encode = json.JSONEncoder().encode


class Answered(NamedTuple):
    """An answer from a plan.

    Attributes:
        body: The bytes that MLflow's scoring server would answer.
        rows: The number of rows that were answered.
        finds: The values of the request that the contract does not expect.
    """

    body: bytes
    rows: int
    finds: tuple[Find, ...]


class FastPath:
    """Answers the requests of one generation from its plan, and leaves those that it cannot answer to the model itself."""

    def __init__(self, generation: Generation, max_rows: int):
        """Raises ValueError when the generation has no plan, or a plan of another signature than its own."""
        if generation.plan is None:
            raise ValueError(generation.why_not)
        self._plan: Plan = generation.plan
        columns = generation.signature.inputs
        if tuple(column.name for column in columns) != tuple(self._plan.inputs):
            raise ValueError("the columns of the signature are not those that the model was fitted on")
        allowed = outputs_of(self._plan.classes, probabilities=self._plan.has_probabilities)
        self._reader = RequestReader(columns, allowed, max_rows)
        self.values = self._reader.values
        self._max_rows = max_rows

    def answer(self, body: bytes) -> Answered | None:
        """Return the answer; None when the request is for the model itself. Raises TooManyRows."""
        request = self._reader.rows(body)
        if request is None:
            return None
        rows, probabilities = request
        if len(rows) > self._max_rows:
            raise TooManyRows(len(rows), self._max_rows)
        plan = self._plan
        try:
            rows, finds = self.values.of_rows(rows)
            encoded = plan.encode(rows)
            answers = plan.predict_proba(encoded) if probabilities else plan.predict(encoded)
        except ValueError:  # these rows are for the model itself
            return None
        return Answered(b'{"predictions": %b}' % _encode(answers.tolist()).encode(), len(rows), finds)

    def probabilities(self, body: bytes) -> NDArray[np.float64] | None:
        """Return the probabilities of a request's rows, shape (rows, classes), whichever output the request names.

        Return None where the plan has no probabilities, or the request is for the model itself.
        """
        request = self._reader.rows(body) if self._plan.has_probabilities else None
        try:
            return (
                self._plan.predict_proba(self._plan.encode(self.values.of_rows(request.rows)[0])) if request else None
            )
        except ValueError:
            return None
