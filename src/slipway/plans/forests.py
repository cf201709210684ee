"""Trees that lie in one array of nodes; `kernels/_walks.py` describes the layout of a node."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from slipway.plans.kernels import (
    NATIVE_WALK_LEAVES,
    NATIVE_WALK_VALUES,
    NATIVE_WALK_VALUES_32,
    native,
    walk_leaves,
    walk_values,
)
from slipway.plans.program import Registers


@dataclass(frozen=True)
class ValueForest:
    """Trees whose leaves have one value.

    Attributes:
        nodes: of all trees, (nodes, 3).
        roots: the node at which each tree begins.
        outputs: the output to which each tree adds.
        sets: the categories of the splits by category.
        start: the value that each output begins with; sums are of its type, float64 or float32.
    """

    nodes: NDArray[np.float64]
    roots: NDArray[np.int64]
    outputs: NDArray[np.int64]
    sets: NDArray[np.uint32]
    start: NDArray[np.floating]

    def __call__(self, registers: Registers) -> NDArray[np.floating]:
        """Return the sums, (outputs, rows)."""
        out = np.empty((len(self.start), len(registers)), dtype=self.start.dtype)
        out[:] = self.start[:, None]
        signature = NATIVE_WALK_VALUES_32 if out.dtype == np.float32 else NATIVE_WALK_VALUES
        native(walk_values, signature)(self.nodes, self.roots, self.outputs, self.sets, registers, out)
        return out


@dataclass(frozen=True)
class LeafForest:
    """Trees whose leaves have several values.

    Attributes:
        nodes: of all trees, (nodes, 3).
        roots: the node at which each tree begins.
        rows: the values of each leaf, (leaves, outputs).
    """

    nodes: NDArray[np.float64]
    roots: NDArray[np.int64]
    rows: NDArray[np.float64]

    def __call__(self, registers: Registers) -> NDArray[np.float64]:
        """Return the sums, (rows, outputs)."""
        out = np.zeros((len(registers), self.rows.shape[1]))
        native(walk_leaves, NATIVE_WALK_LEAVES)(self.nodes, self.roots, self.rows, registers, out)
        return out
