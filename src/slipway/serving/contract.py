"""The contract between the processes of an endpoint: a signature, a plan, and a generation that is served."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from slipway.core.expectations import Expectation


class Plan(Protocol):
    """A compiled model, as a front uses it (`slipway.compile.Compiled`).

    Every method raises a ValueError on rows that only the model itself can answer; a back answers the whole request then.

    Attributes:
        inputs: The columns of a row, in order.
        classes: The classes of a classifier, in the order of the probabilities; None for a regressor.
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
    """An input of a signature.

    Attributes:
        name: Name of the column.
        type: MLflow's name of its type: double, float, long, integer, boolean, string, datetime, …
        required: Whether the values may not be missing.
        expectation: The values that the contract expects; None for a version that carries no contract.
    """

    name: str
    type: str
    required: bool = True
    expectation: Expectation | None = None


@dataclass(frozen=True)
class Signature:
    """The signature of a model.

    Attributes:
        inputs: The columns that the model is asked with.
        output: MLflow's type of a prediction.
        example: A request body as JSON; None without an input example.
        classes: The classes of a classifier, in the order of its probabilities, as Python's own types; None for a regressor.
        probabilities: Whether the model has `predict_proba`.
    """

    inputs: tuple[InputColumn, ...]
    output: str = "double"
    example: str | None = None
    classes: tuple[Any, ...] | None = None
    probabilities: bool = False


@dataclass(frozen=True)
class Generation:
    """A version that is served.

    Attributes:
        model: Name of the registered model.
        version: Number of the version.
        digest: Digest of the bytes that were registered.
        number: Number of the generation; a supervisor counts them up.
        signature: Signature of the version.
        plan: None when the version is not compiled.
        why_not: Why it is not compiled; "" otherwise.
        backs: Unix sockets of its backs.
        stage: Stage that the version is in.
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
