"""Programs, which compute registers of encoded rows: by native operations, and between them by functions of numpy."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from slipway.plans.kernels import NATIVE_RUN, native, run
from slipway.plans.terms import Terms, TermSums
from slipway.plans.texts import Encoded, EncodedTexts

Registers = NDArray[np.float64]
"""Everything that has been computed of the rows: (rows, registers)."""


@dataclass(frozen=True)
class Operations:
    """A stage of native operations; `table` is (operations, 5), see `kernels/_registers.py`."""

    table: NDArray[np.int64]


@dataclass(frozen=True)
class Function:
    """A stage of one function of numpy.

    Attributes:
        function: applied to each source.
        sources: the registers that are read.
        first: the register of the first result; the other results follow it.
    """

    function: np.ufunc
    sources: tuple[int, ...]
    first: int


Stage = Operations | Function | Terms | TermSums


@dataclass(frozen=True)
class Program:
    """The stages of a plan, in their order.

    Attributes:
        stages: what is computed.
        constants: the numbers that operations read.
        width: the number of registers.
        reasons: why each check refuses a row, in the order of the checks' numbers.
    """

    stages: tuple[Stage, ...]
    constants: NDArray[np.float64]
    width: int
    reasons: tuple[str, ...]

    def registers(self, encoded: Encoded) -> Registers:
        """Return the registers of encoded rows. Raises LeftToOriginal for the first row that a check refuses."""
        registers, refused = self.try_registers(encoded)
        if np.count_nonzero(refused):  # several times faster than any() where there is but one row
            row = int(np.flatnonzero(refused)[0])
            raise LeftToOriginal(row, self.reasons[refused[row] - 1])
        return registers

    def try_registers(self, encoded: Encoded) -> tuple[Registers, NDArray[np.int64]]:
        """Return the registers, and for each row 0, or the number of the reason, from 1, for which a check refuses it."""
        registers = np.empty((len(encoded), self.width))
        refused = np.zeros(len(encoded), dtype=np.int64)
        native_run = native(run, NATIVE_RUN)
        numbers = encoded.numbers if isinstance(encoded, EncodedTexts) else encoded
        for stage in self.stages:
            if isinstance(stage, Operations):
                native_run(stage.table, self.constants, numbers, registers, refused)
            elif isinstance(encoded, EncodedTexts) and isinstance(stage, Terms | TermSums):
                stage(encoded, registers)
            elif isinstance(stage, Function):
                registers[:, stage.first : stage.first + len(stage.sources)] = stage.function(
                    registers[:, stage.sources]
                )
        return registers, refused


class LeftToOriginal(ValueError):
    """A row is left to the original model, which raises on the row or reads it in a way that the plan does not follow.

    A request is not answered in part: the caller gives the whole request to the original model, which answers or raises.

    Attributes:
        row: the number of the first such row, from 0.
        why: the reason, without values of the row.
    """

    def __init__(self, row: int, why: str):
        self.row, self.why = row, why
        super().__init__(f"row {row}: {why}; the original model has to be asked")
