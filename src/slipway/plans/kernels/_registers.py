"""The interpreter, which runs a list of operations over the float64 registers of each row.

An operation is five integers: its code, the register that it writes, the register that it reads, and two more whose meaning
depends on the code: mostly the place in `constants` at which a number or a table starts, and the table's length.
"""

import numpy as np

from slipway.plans.operations import (
    ADD,
    AT_MOST,
    BINS,
    CLIP,
    CONSTANT,
    COPY,
    DIVIDE,
    EQUALS,
    FINITE,
    FIRST_DAY,
    FLOAT32,
    IMPUTE,
    KNOWN,
    LOAD,
    LOOK_UP,
    MISSING,
    MONTHS,
    MULTIPLY,
    NOT_A_TIME,
    NOT_INFINITE,
    ONE_HOT,
    PERIODS,
    PRODUCT,
    REPLACE,
    SEARCH,
    SUBTRACT,
    SUMMABLE,
    WEIGHTED,
)

NATIVE_RUN = "void(int64[:,::1], float64[::1], float64[:,::1], float64[:,::1], int64[::1])"


def run(operations, constants, encoded, registers, refused):  # type: ignore[no-untyped-def]
    # One long chain, as LLVM makes a jump table of it; split up, each step would be a call.
    for row in range(encoded.shape[0]):
        r = registers[row]
        for i in range(operations.shape[0]):
            code = operations[i, 0]
            out = operations[i, 1]
            value = r[operations[i, 2]]
            at = operations[i, 3]
            more = operations[i, 4]
            if code == LOAD:
                r[out] = encoded[row, at]
            elif code == COPY:
                r[out] = value
            elif code == CONSTANT:
                r[out] = constants[at]
            elif code == SUBTRACT:
                r[out] = value - constants[at]
            elif code == DIVIDE:
                r[out] = value / constants[at]
            elif code == MULTIPLY:
                r[out] = value * constants[at]
            elif code == ADD:
                r[out] = value + constants[at]
            elif code == PRODUCT:
                r[out] = value * r[at]
            elif code == CLIP:
                if value < constants[at]:
                    value = constants[at]
                elif value > constants[at + 1]:
                    value = constants[at + 1]
                r[out] = value
            elif code == IMPUTE:
                r[out] = constants[at] if value != value else value
            elif code == REPLACE:
                r[out] = constants[at + 1] if value == constants[at] else value
            elif code == MISSING:
                r[out] = 1.0 if value != value else 0.0
            elif code == EQUALS:
                r[out] = 1.0 if value == constants[at] else 0.0
            elif code == LOOK_UP:
                r[out] = constants[at + 1 + int(value)]
            elif code == ONE_HOT:
                for k in range(more):
                    r[out + k] = 0.0
                position = int(constants[at + 1 + int(value)])
                if position >= 0:
                    r[out + position] = 1.0
            elif code == SEARCH:
                # constants: the code of a missing value, `more` sorted values, and their codes.
                if value != value:
                    r[out] = constants[at]
                else:
                    low = at + 1
                    high = at + 1 + more
                    while low < high:
                        middle = (low + high) // 2
                        if constants[middle] < value:
                            low = middle + 1
                        else:
                            high = middle
                    found = low < at + 1 + more and constants[low] == value
                    r[out] = constants[low + more] if found else -1.0
            elif code == BINS:
                low = at
                high = at + more
                while low < high:
                    middle = (low + high) // 2
                    if value < constants[middle]:
                        high = middle
                    else:
                        low = middle + 1
                r[out] = low - at
            elif code == FLOAT32:
                r[out] = np.float64(np.float32(value))
            elif code == WEIGHTED:
                total = 0.0
                for k in range(more):
                    total += r[operations[i, 2] + k] * constants[at + k]
                r[out] = total
            elif code == PERIODS:
                r[out] = NOT_A_TIME if value == NOT_A_TIME else np.floor(value / constants[at])
            elif code == MONTHS:
                if value == NOT_A_TIME:
                    r[out] = NOT_A_TIME
                else:
                    # Days, months and years count from the first of March of year 0, so that a leap day comes last:
                    # https://howardhinnant.github.io/date_algorithms.html
                    day = int(value) + 719468
                    era = day // 146097
                    day -= era * 146097
                    year = (day - day // 1460 + day // 36524 - day // 146096) // 365
                    day -= 365 * year + year // 4 - year // 100
                    r[out] = (year + era * 400 - 1970) * 12 + (5 * day + 2) // 153 + 2
            elif code == FIRST_DAY:
                if value == NOT_A_TIME:
                    r[out] = NOT_A_TIME
                else:
                    month = int(value) + 1970 * 12 - 2
                    year = month // 12
                    era = year // 400
                    day = (153 * (month - year * 12) + 2) // 5
                    year -= era * 400
                    r[out] = era * 146097 + year * 365 + year // 4 - year // 100 + day - 719468
            else:
                if code == FINITE:
                    bad = not np.isfinite(value)
                elif code == NOT_INFINITE:
                    bad = np.isinf(value)
                elif code == KNOWN:
                    bad = value < 0.0
                elif code == AT_MOST:
                    bad = abs(value) > constants[more]
                elif code == SUMMABLE:
                    bad = not abs(value) <= constants[more]
                else:
                    bad = True
                if bad and refused[row] == 0:
                    refused[row] = at + 1
