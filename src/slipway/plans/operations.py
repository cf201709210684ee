"""The operations that a plan is made of; `kernels/_registers.py` shows the numbers that each reads."""

(
    LOAD,  # the encoded value
    COPY,
    CONSTANT,
    SUBTRACT,
    DIVIDE,
    MULTIPLY,
    ADD,
    PRODUCT,  # of two registers
    CLIP,
    IMPUTE,  # a number in place of NaN
    REPLACE,  # one number by another
    MISSING,  # 1 for NaN, else 0
    EQUALS,  # 1 for one number, else 0
    LOOK_UP,  # a table of numbers by a category's code; its first entry is of code -1, the unknown
    ONE_HOT,  # a block of 0 and at most one 1, by a table of positions
    SEARCH,  # the code of a number among sorted numbers; -1 where it is none of them
    BINS,  # how many edges are not above the number
    FLOAT32,  # rounded to float32
    FINITE,  # from here on checks: a row on which a check does not hold is refused
    NOT_INFINITE,
    KNOWN,  # the code of a category is not -1
    AT_MOST,  # in absolute value, or missing
    SUMMABLE,  # in absolute value, and not missing
    PERIODS,  # whole periods of so many units in a time since 1970
    MONTHS,  # of days since 1970
    FIRST_DAY,  # of a month since 1970, in days
    WEIGHTED,  # the sum of registers that follow each other, each times a number
) = range(27)

NOT_A_TIME = float(-(2**63))
"""A missing time among registers: numpy's own mark, as a float64."""
