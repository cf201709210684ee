"""The contract between the processes of an endpoint: a signature, a plan, and a generation that is served."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from slipway.core.expectations import Expectation


class Plan(Protocol):
    """A compiled model, as a front uses it (`slipway.compile.Compiled`).

    inputs: the columns of a row, in order. classes: of a classifier, in the order of the probabilities; None for a regressor.
    Every method raises a ValueError on rows that only the model itself can be asked about; then the whole request is its.
    """

    inputs: tuple[str, ...]
    classes: tuple[Any, ...] | None

    @property
    def has_probabilities(self) -> bool: ...

    def encode(self, rows: Sequence[Sequence[object]]) -> NDArray[np.float64]: ...

    def predict(self, encoded: NDArray[np.float64]) -> NDArray[Any]: ...

    def predict_proba(self, encoded: NDArray[np.float64]) -> NDArray[np.float64]: ...


@dataclass(frozen=True)
class InputColumn:
    """An input of a signature. type: MLflow's name of it: double, float, long, integer, boolean, string, datetime, …

    expectation: what the contract says of its values; None for a version that carries no contract.
    """

    name: str
    type: str
    required: bool = True
    expectation: Expectation | None = None


@dataclass(frozen=True)
class Signature:
    """What a model is asked with. output: MLflow's type of a prediction; example: a request body, JSON, or None.

    classes: of a classifier, in the order of its probabilities, as Python's own types; None for a regressor.
    probabilities: whether the model has `predict_proba`.
    """

    inputs: tuple[InputColumn, ...]
    output: str = "double"
    example: str | None = None
    classes: tuple[Any, ...] | None = None
    probabilities: bool = False


@dataclass(frozen=True)
class Generation:
    """A version that is served. number: counts up with each one that a supervisor starts.

    plan: None when it is not compiled, and then why_not says why. backs: Unix sockets of the processes that hold the model.
    """

    model: str
    version: int
    digest: str
    number: int
    signature: Signature
    plan: Plan | None
    why_not: str
    backs: tuple[str, ...]
    stage: str = ""
