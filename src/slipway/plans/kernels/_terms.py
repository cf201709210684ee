"""Terms of texts: their hashes, the length of a row of terms, and their way into registers or a projection.

Rows of terms are sparse, as scikit-learn holds them: those of a row lie from `starts[row]` up to `starts[row + 1]`, by their
indices. Sums follow that order, so that the last bit is scikit-learn's.
"""

import numpy as np

NATIVE_RUNS = "void(uint8[::1], int64, int64, int64[::1], int64[::1], int64[::1])"
NATIVE_HASH = "void(uint8[::1], int64[::1], int64[::1], float64[::1], boolean, float64[::1], boolean[::1])"
NATIVE_NORMALISE = "void(int64[::1], float64[::1], int64)"
NATIVE_SPREAD = "void(int64[::1], int64[::1], float64[::1], int64[::1], int64[::1], float64[:,::1])"
NATIVE_PROJECT = "void(int64[::1], int64[::1], float64[::1], float64[:,::1], int64, float64[:,::1])"

L1, L2 = 1, 2


def runs(content, least, most, starts, ends, count):  # type: ignore[no-untyped-def]
    """Write where each run of `least` to `most` characters within a word starts and ends, and how many there are to `count`.

    content: words in UTF-8, each between two blanks, which belong to the word.
    """
    offsets = np.empty(content.shape[0] + 1, dtype=np.int64)
    begin = 0
    while begin < content.shape[0]:
        length = 1
        offsets[0] = begin
        at = begin + 1
        while content[at] != 32:
            if content[at] & 0xC0 != 0x80:  # the first byte of a character
                offsets[length] = at
                length += 1
            at += 1
        offsets[length] = at
        length += 1
        offsets[length] = at + 1
        for size in range(least, most + 1):
            for i in range(max(length - size, 0) + 1):
                starts[count[0]] = offsets[i]
                ends[count[0]] = offsets[min(i + size, length)]
                count[0] += 1
            if length <= size:  # a word that is as short as the run counts once
                break
        begin = at + 1


def hash_terms(content, starts, ends, often, signed, counts, found):  # type: ignore[no-untyped-def]
    """Add to `counts` how `often` each term is there, at the index that is its hash, and mark the index as found.

    The hash is MurmurHash3 for 32 bits of the bytes of a term. With `signed`, a negative hash counts down.
    """
    features = counts.shape[0]
    for term in range(starts.shape[0]):
        at, end = starts[term], ends[term]
        h = np.uint32(0)
        while at + 4 <= end:
            k = np.uint32(content[at]) | (np.uint32(content[at + 1]) << np.uint32(8))
            k |= (np.uint32(content[at + 2]) << np.uint32(16)) | (np.uint32(content[at + 3]) << np.uint32(24))
            k = np.uint32(k * np.uint32(0xCC9E2D51))
            k = np.uint32((k << np.uint32(15)) | (k >> np.uint32(17)))
            h ^= np.uint32(k * np.uint32(0x1B873593))
            h = np.uint32((h << np.uint32(13)) | (h >> np.uint32(19)))
            h = np.uint32(np.uint32(h * np.uint32(5)) + np.uint32(0xE6546B64))
            at += 4
        k = np.uint32(0)
        if end - at == 3:
            k ^= np.uint32(content[at + 2]) << np.uint32(16)
        if end - at >= 2:
            k ^= np.uint32(content[at + 1]) << np.uint32(8)
        if end - at >= 1:
            k ^= np.uint32(content[at])
            k = np.uint32(k * np.uint32(0xCC9E2D51))
            k = np.uint32((k << np.uint32(15)) | (k >> np.uint32(17)))
            h ^= np.uint32(k * np.uint32(0x1B873593))
        h ^= np.uint32(end - starts[term])
        h ^= h >> np.uint32(16)
        h = np.uint32(h * np.uint32(0x85EBCA6B))
        h ^= h >> np.uint32(13)
        h = np.uint32(h * np.uint32(0xC2B2AE35))
        h ^= h >> np.uint32(16)
        number = np.int64(np.int32(h))
        # abs(-2^31) is no int32: scikit-learn takes this index for it.
        index = (2147483647 - (features - 1)) % features if number == -2147483648 else abs(number) % features
        counts[index] += -often[term] if signed and number < 0 else often[term]
        found[index] = True


def normalise(starts, values, norm):  # type: ignore[no-untyped-def]
    """Divide the values of each row by their sum (L1) or their length (L2); a row of zeros stays as it is."""
    for row in range(starts.shape[0] - 1):
        total = 0.0
        for i in range(starts[row], starts[row + 1]):
            total += abs(values[i]) if norm == L1 else values[i] * values[i]
        if total == 0.0:
            continue
        if norm != L1:
            total = np.sqrt(total)
        for i in range(starts[row], starts[row + 1]):
            values[i] /= total


def spread(starts, indices, values, places, used, registers):  # type: ignore[no-untyped-def]
    """Write the values of each row to the registers of their terms, `places`, and 0 to the others in `used`; -1 is none."""
    for row in range(starts.shape[0] - 1):
        for i in range(used.shape[0]):
            registers[row, used[i]] = 0.0
        for i in range(starts[row], starts[row + 1]):
            place = places[indices[i]]
            if place >= 0:
                registers[row, place] = values[i]


def project(starts, indices, values, weights, first, registers):  # type: ignore[no-untyped-def]
    """Write the weighted sums of each row, by `weights`, (terms, sums), to the registers from `first` on."""
    for row in range(starts.shape[0] - 1):
        for k in range(weights.shape[1]):
            registers[row, first + k] = 0.0
        for i in range(starts[row], starts[row + 1]):
            for k in range(weights.shape[1]):
                registers[row, first + k] += values[i] * weights[indices[i], k]
