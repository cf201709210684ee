"""Weighted sums of registers, added one after the other, as scikit-learn does with a sparse matrix."""

NATIVE_SUMS = "void(float64[:,::1], int64[::1], float64[:,::1], float64[:,::1])"


def sums(registers, features, weights, out):  # type: ignore[no-untyped-def]
    # out: zeros (rows, sums); weights: (sums, features). A zero adds nothing, as in a sparse matrix.
    for row in range(registers.shape[0]):
        for i in range(features.shape[0]):
            value = registers[row, features[i]]
            if value != 0.0:
                for k in range(weights.shape[0]):
                    out[row, k] += value * weights[k, i]
