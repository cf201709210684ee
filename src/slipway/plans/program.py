"""Encoded rows → registers: native operations, and between them numpy's own functions."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from slipway.plans.kernels import NATIVE_RUN, native, run

Registers = NDArray[np.float64]
"""(rows, registers): all that has been computed of the rows."""


@dataclass(frozen=True)
class Operations:
    """Native operations. table: (operations, 5), see `kernels/_registers.py`."""

    table: NDArray[np.int64]


@dataclass(frozen=True)
class Function:
    """A function of numpy over registers; the results follow each other from `first` on."""

    function: np.ufunc
    sources: tuple[int, ...]
    first: int


Stage = Operations | Function


@dataclass(frozen=True)
class Program:
    """The stages in their order. reasons: what each check says of a row that it refuses."""

    stages: tuple[Stage, ...]
    constants: NDArray[np.float64]
    width: int
    reasons: tuple[str, ...]

    def registers(self, encoded: NDArray[np.float64]) -> Registers:
        """Return the registers of encoded rows. Raises LeftToOriginal on the first row on which a check does not hold."""
        registers, refused = self.try_registers(encoded)
        if np.count_nonzero(refused):  # several times faster than any() where there is but one row
            row = int(np.flatnonzero(refused)[0])
            raise LeftToOriginal(row, self.reasons[refused[row] - 1])
        return registers

    def try_registers(self, encoded: NDArray[np.float64]) -> tuple[Registers, NDArray[np.int64]]:
        """Return the registers, and for each row the number of the reason why it is refused, from 1, or 0."""
        registers = np.empty((len(encoded), self.width))
        refused = np.zeros(len(encoded), dtype=np.int64)
        native_run = native(run, NATIVE_RUN)
        for stage in self.stages:
            if isinstance(stage, Operations):
                native_run(stage.table, self.constants, encoded, registers, refused)
            else:
                registers[:, stage.first : stage.first + len(stage.sources)] = stage.function(
                    registers[:, stage.sources]
                )
        return registers, refused


class LeftToOriginal(ValueError):
    """Some rows are for the original model alone: it raises on them, or reads them in a way that the plan does not follow.

    Nothing is answered in part: the request as a whole has to be given to the original, which then answers or raises.

    row: number of the first such row, from 0. why: what it is about that row, without its values.
    """

    def __init__(self, row: int, why: str):
        self.row, self.why = row, why
        super().__init__(f"row {row}: {why}; the original model has to be asked")
