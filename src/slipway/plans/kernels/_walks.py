"""Walks down decision trees that lie one after the other in one array of nodes.

A node is three words of 64 bits: the threshold as a float64; the numbers of the left and the right child; the register that
it asks, and its flags. It is given as float64 and read as uint32 beside: both views are of the same memory, so that a node is
in one cache line, and an unsigned number is an index without a check of its sign.
"""

import numpy as np

# Where in the six 32-bit halves of a node its parts are; the first two are the threshold.
LEFT, RIGHT, REGISTER, FLAGS = 2, 3, 4, 5

MISSING_LEFT, BY_CATEGORY, LEAF = 1, 2, 4
"""Flags. By category, the threshold is the number of its sets; of a leaf, its value or the number of its row of values."""

SET_WORDS = 8
"""Words of 32 bits of a set of categories. Two sets a split: the categories that go left, then those that are known."""

NATIVE_WALK_VALUES = "void(float64[:,::1], int64[::1], int64[::1], uint32[:,::1], float64[:,::1], float64[:,::1])"
NATIVE_WALK_LEAVES = "void(float64[:,::1], int64[::1], float64[:,::1], float64[:,::1], float64[:,::1])"


def walk_values(nodes, roots, outputs, sets, registers, out):  # type: ignore[no-untyped-def]
    """Add each tree's value to its output; out: (outputs, rows), as it is to begin with.

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
    """Add the row of values of each tree's leaf; values: (leaves, outputs); out: (rows, outputs). No split is by category."""
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
