"""Walks down decision trees that lie one after the other in one array of nodes.

A node is three words of 64 bits: the threshold as a float64; the numbers of the left and the right child; the register that
the node compares, and its flags. The array is given as float64 and also read as uint32, two views of the same memory: a node
stays in one cache line, and an unsigned number is an index whose sign is not checked.
"""

import numpy as np

# The places of a node's parts among its six 32-bit halves; the first two halves are the threshold.
LEFT, RIGHT, REGISTER, FLAGS = 2, 3, 4, 5

MISSING_LEFT, BY_CATEGORY, LEAF = 1, 2, 4
"""Flags of a node. The threshold of a split by category is the number of its sets; that of a leaf is its value, or the number
of its row of values."""

SET_WORDS = 8
"""The 32-bit words of a set of categories. A split has two sets: the categories that go left, then those that are known."""

NATIVE_WALK_VALUES = "void(float64[:,::1], int64[::1], int64[::1], uint32[:,::1], float64[:,::1], float64[:,::1])"
# Sums in float32, as XGBoost has them: a float64 holds the sum of two float32 so exactly that one rounding is made, not two.
NATIVE_WALK_VALUES_32 = "void(float64[:,::1], int64[::1], int64[::1], uint32[:,::1], float64[:,::1], float32[:,::1])"
NATIVE_WALK_LEAVES = "void(float64[:,::1], int64[::1], float64[:,::1], float64[:,::1], float64[:,::1])"


def walk_values(nodes, roots, outputs, sets, registers, out):  # type: ignore[no-untyped-def]
    """Add the value of each tree to its output in `out`, (outputs, rows).

    The trees are the outer loop, so that a tree stays in cache while many rows walk down it.
    """
    words = nodes.view(np.uint32)
    for tree in range(roots.shape[0]):
        k = outputs[tree]
        for row in range(registers.shape[0]):
            node = np.uintp(roots[tree])
            flags = words[node, FLAGS]
            while not flags & LEAF:
                value = registers[row, np.uintp(words[node, REGISTER])]
                if flags & BY_CATEGORY:
                    left = flags & MISSING_LEFT != 0
                    if value >= 0.0:
                        split = np.uintp(nodes[node, 0])
                        category = np.uint8(value)
                        word = np.uintp(category >> 5)
                        bit = np.uint32(1) << np.uint32(category & 31)
                        if sets[split, word] & bit:
                            left = True
                        elif sets[split, word + np.uintp(SET_WORDS)] & bit:
                            left = False
                else:
                    left = value <= nodes[node, 0] or (value != value and flags & MISSING_LEFT != 0)
                node = np.uintp(words[node, LEFT] if left else words[node, RIGHT])
                flags = words[node, FLAGS]
            out[k, row] += nodes[node, 0]


def walk_leaves(nodes, roots, values, registers, out):  # type: ignore[no-untyped-def]
    """Add the values of each tree's leaf, a row of `values`, (leaves, outputs), to `out`, (rows, outputs).

    No split is by category.
    """
    words = nodes.view(np.uint32)
    for tree in range(roots.shape[0]):
        for row in range(registers.shape[0]):
            node = np.uintp(roots[tree])
            flags = words[node, FLAGS]
            while not flags & LEAF:
                value = registers[row, np.uintp(words[node, REGISTER])]
                left = value <= nodes[node, 0] or (value != value and flags & MISSING_LEFT != 0)
                node = np.uintp(words[node, LEFT] if left else words[node, RIGHT])
                flags = words[node, FLAGS]
            leaf = np.uintp(nodes[node, 0])
            for k in range(values.shape[1]):
                out[row, k] += values[leaf, k]
