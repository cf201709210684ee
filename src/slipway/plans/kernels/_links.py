"""What boosting libraries make of the sums of trees: the same steps, in the same order and type, by the C library's `exp`.

numpy's `exp` differs from that of the C library in the last bit on some processors, and its sums have another order.
"""

import math

import numpy as np

SIGMOID, SOFTMAX, EXP = range(3)
"""The links; `links64` has no SIGMOID, which scipy computes as LightGBM does."""

NATIVE_LINKS_32 = "void(int64, float32[:,::1])"
NATIVE_LINKS_64 = "void(int64, float64[:,::1])"


def links32(kind, values):  # type: ignore[no-untyped-def]
    """Put values, (rows, outputs), through a link of XGBoost, which computes in float32."""
    for row in range(values.shape[0]):
        if kind == SOFTMAX:
            most = values[row, 0]
            for k in range(1, values.shape[1]):
                most = max(most, values[row, k])
            total = 0.0  # a float64 in XGBoost too
            for k in range(values.shape[1]):
                values[row, k] = math.exp(values[row, k] - most)
                total += values[row, k]
            for k in range(values.shape[1]):
                values[row, k] = values[row, k] / np.float32(total)
        else:
            for k in range(values.shape[1]):
                if kind == EXP:
                    values[row, k] = math.exp(values[row, k])
                else:
                    # XGBoost keeps the exponent below overflow.
                    power = math.exp(min(-values[row, k], np.float32(88.7)))
                    values[row, k] = np.float32(1.0) / (power + np.float32(1.0) + np.float32(1e-16))


def links64(kind, values):  # type: ignore[no-untyped-def]
    """Put values, (rows, outputs), through a link of LightGBM, which adds up one class after the other."""
    for row in range(values.shape[0]):
        if kind == EXP:
            for k in range(values.shape[1]):
                values[row, k] = math.exp(values[row, k])
        else:
            most = values[row, 0]
            for k in range(1, values.shape[1]):
                most = max(most, values[row, k])
            total = 0.0
            for k in range(values.shape[1]):
                values[row, k] = math.exp(values[row, k] - most)
                total += values[row, k]
            for k in range(values.shape[1]):
                values[row, k] /= total
