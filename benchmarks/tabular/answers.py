"""A system's answers to the test rows, in a file: what every system is scored from, by the same code."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Answers:
    """values: (rows,) of a regression, (rows, classes) probabilities otherwise. labels: of the classes, as text."""

    values: NDArray[np.float64]
    labels: tuple[str, ...] = ()

    def write(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as stream:
            np.savez_compressed(stream, values=self.values, labels=np.array(self.labels, dtype=str))


def read_answers(path: Path) -> Answers:
    with np.load(path) as found:
        return Answers(found["values"], tuple(found["labels"].tolist()))


def of_classes(values: Any, labels: Sequence[Any]) -> Answers:
    return Answers(np.asarray(values, dtype=float), tuple(str(label) for label in labels))


def of_numbers(values: Any) -> Answers:
    return Answers(np.asarray(values, dtype=float).ravel())
