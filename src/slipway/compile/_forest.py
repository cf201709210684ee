"""Many trees in one array of nodes; `plans/kernels/_walks.py` describes the layout of a node."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from slipway.plans.forests import LeafForest, ValueForest
from slipway.plans.kernels._walks import BY_CATEGORY, LEAF, LEFT, MISSING_LEFT, REGISTER, RIGHT, SET_WORDS
from slipway.plans.kernels._walks import FLAGS as FLAGS_AT


@dataclass
class Forest:
    """Trees that are added one by one; `registers` has the register of each feature that the trees split by."""

    registers: Sequence[int]
    _nodes: list[NDArray[np.float64]] = field(default_factory=list)
    _roots: list[int] = field(default_factory=list)
    _outputs: list[int] = field(default_factory=list)
    _sets: list[NDArray[np.uint32]] = field(default_factory=list)
    _size: int = 0

    def add(
        self,
        *,
        feature: NDArray[Any],
        threshold: NDArray[np.float64],
        left: NDArray[Any],
        right: NDArray[Any],
        missing_left: NDArray[Any],
        leaf: NDArray[np.bool_],
        value: NDArray[np.float64],
        output: int = 0,
        categorical: NDArray[np.bool_] | None = None,
        sets: NDArray[np.uint32] | None = None,
    ) -> None:
        """Add a tree, whose arrays have one entry for each node.

        Args:
            feature: the feature by which a node splits.
            threshold: the largest value that goes left; of a split by category, the number of its sets.
            left: the left child.
            right: the right child.
            missing_left: whether a missing value goes left.
            leaf: whether the node is a leaf.
            value: the value of a leaf.
            output: the sum to which the tree adds.
            categorical: whether the node splits by category.
            sets: (splits, 2, 8) words, the sets of the splits by category.
        """
        nodes = np.zeros((len(leaf), 3))
        words = nodes.view(np.uint32)
        flags = np.where(leaf, LEAF, np.where(missing_left, MISSING_LEFT, 0))
        nodes[:, 0] = np.where(leaf, value, threshold)
        if categorical is not None and sets is not None:
            split = categorical & ~leaf
            flags[split] |= BY_CATEGORY
            nodes[split, 0] += sum(map(len, self._sets))
            self._sets.append(sets.reshape(len(sets), 2 * SET_WORDS))
        words[:, LEFT] = np.where(leaf, 0, left + self._size)
        words[:, RIGHT] = np.where(leaf, 0, right + self._size)
        words[:, REGISTER] = np.where(leaf, 0, np.asarray(self.registers)[np.where(leaf, 0, feature)])
        words[:, FLAGS_AT] = flags
        self._nodes.append(nodes)
        self._roots.append(self._size)
        self._outputs.append(output)
        self._size += len(nodes)

    def values(self, start: NDArray[np.floating]) -> ValueForest:
        """Return the trees as sums of one value a leaf.

        start: (outputs,), what the sums begin with; where it is of float32, sums are too.
        """
        sets = np.concatenate(self._sets) if self._sets else np.zeros((0, 2 * SET_WORDS), dtype=np.uint32)
        roots, outputs = np.array(self._roots, dtype=np.int64), np.array(self._outputs, dtype=np.int64)
        return ValueForest(np.concatenate(self._nodes), roots, outputs, sets, start)

    def leaves(self, values: NDArray[np.float64]) -> LeafForest:
        """Return the trees as sums of a row of values a leaf; the value of each leaf is the number of its row."""
        roots = np.array(self._roots, dtype=np.int64)
        return LeafForest(np.concatenate(self._nodes), roots, np.ascontiguousarray(values, dtype=np.float64))
