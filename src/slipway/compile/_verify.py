"""The comparison of a plan with its model, on the example and on rows made to be odd."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from slipway.compile._odd_rows import odd_rows, rows_of
from slipway.plans.compiled import Compiled
from slipway.plans.program import LeftToOriginal
from slipway.plans.texts import Encoded, EncodedTexts, same_counts

RELATIVE = 1e-12
"""The largest difference of two equal answers, as a part of the larger answer."""

_ROUNDING = 1e-15
"""The same as a part of the usual answer: where large terms cancel, the last bit of a term is more than 1e-12 of their sum."""

_MOST_PROBLEMS = 5


@dataclass(frozen=True)
class Agreement:
    """The result of a comparison.

    Attributes:
        compared: the number of rows on which both answered.
        left: the number of rows that the plan leaves to the original.
        problems: the first differences, each with its row and both answers.
    """

    compared: int
    left: int
    problems: tuple[str, ...]

    @property
    def equal(self) -> bool:
        """Whether at least one row was compared, and no difference was found."""
        return not self.problems and self.compared > 0


def verify(model: Any, compiled: Compiled, example: pd.DataFrame, *, rows: int = 300, seed: int = 0) -> Agreement:
    """Compare a plan with its model on the rows of an example, which fits the model's signature, and on generated rows.

    Generated rows take the example's values and the plan's categories and plant, by the type of the column, missing values,
    unknown categories, infinities, extremes, other capitals and empty texts. The plan must not answer a row on which the model
    raises. Rows given as scalars have to be encoded as the same rows in a frame; a null alone in its column is tried by itself,
    since pandas reads it differently there. Labels have to be identical, numbers within 1e-12 of each other.
    """
    example = example[list(compiled.inputs)].reset_index(drop=True)
    odd = odd_rows(example, rows, np.random.default_rng(seed), compiled.texts)
    frame = _as_read(pd.concat([example, odd], ignore_index=True).astype(example.dtypes.to_dict()))
    problems: list[str] = []
    # Of so few rows, the model's own threads would wait for each other longer than they work.
    with threadpool_limits(1):
        counts = [_compare(model, compiled, each, problems) for each in (frame, *_nulls_alone(example))]
    compared, left = map(sum, zip(*counts, strict=True))
    return Agreement(compared, left, tuple(problems[:_MOST_PROBLEMS]))


def _compare(model: Any, compiled: Compiled, frame: pd.DataFrame, problems: list[str]) -> tuple[int, int]:
    """Add differences to `problems`, and return the numbers of rows that were compared and that were left to the original."""
    count = len(frame)
    while True:
        try:
            encoded, given = compiled.encode_frame(frame), compiled.encode(rows_of(frame))
            break
        except LeftToOriginal as left:
            frame = frame.drop(index=left.row).reset_index(drop=True)
            if not len(frame):
                return 0, count
    problems += _encoded_otherwise(encoded, given)
    kept = np.flatnonzero(~compiled.refused(encoded))
    if len(kept):
        answered = frame.iloc[kept].reset_index(drop=True)
        try:
            problems += _differences(model, compiled, answered, encoded[kept], kept)
        except ValueError as error:
            problems.append(f"the model refuses rows that the plan answers: {error}")
    return len(kept), count - len(kept)


def _encoded_otherwise(encoded: Encoded, given: Encoded) -> list[str]:
    """Return the first difference of rows that were encoded in a frame from the same rows given as scalars, if there is one."""
    if isinstance(encoded, EncodedTexts) and isinstance(given, EncodedTexts):
        unlike = [
            at for at, pair in enumerate(zip(encoded.counted, given.counted, strict=True)) if not same_counts(*pair)
        ]
        if unlike:
            return [f"the texts of column {unlike[0]} of texts are encoded otherwise in a frame"]
        encoded, given = encoded.numbers, given.numbers
    assert isinstance(encoded, np.ndarray) and isinstance(given, np.ndarray)
    if np.array_equal(encoded, given, equal_nan=True):
        return []
    row, column = np.argwhere((encoded != given) & ~(np.isnan(encoded) & np.isnan(given)))[0]
    return [f"row {row}: value {column} is encoded as {given[row, column]!r}, and in a frame {encoded[row, column]!r}"]


def _differences(
    model: Any, compiled: Compiled, frame: pd.DataFrame, encoded: Encoded, numbers: NDArray[np.intp]
) -> list[str]:
    methods = ["predict"] + (["predict_proba"] if hasattr(model, "predict_proba") else [])
    if compiled.has_probabilities != ("predict_proba" in methods):
        return ["one of the two has no predict_proba"]
    found = []
    for method in methods:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")  # of unknown categories and overflows, which are what is tried here
            wanted, got = np.asarray(getattr(model, method)(frame)), getattr(compiled, method)(encoded)
        if wanted.shape != got.shape or wanted.dtype != got.dtype:
            found.append(
                f"{method} is {got.dtype} of shape {got.shape}, and the model's {wanted.dtype} of {wanted.shape}"
            )
            continue
        for row in np.flatnonzero(~same(wanted, got))[:_MOST_PROBLEMS]:
            answers = (
                f"{method} is {got[row : row + 1].tolist()[0]!r}, and the model's {wanted[row : row + 1].tolist()[0]!r}"
            )
            found.append(f"row {numbers[row]}: {answers}, for {frame.iloc[row].to_dict()!r}")
    return found


def same(wanted: NDArray[Any], got: NDArray[Any]) -> NDArray[np.bool_]:
    """Return for each row whether two answers are the same: labels identical, numbers within RELATIVE."""
    equal: NDArray[np.bool_] = np.asarray(wanted == got)
    if wanted.dtype.kind == "f":
        with np.errstate(all="ignore"):
            finite = np.abs(wanted[np.isfinite(wanted)])
            usual = float(np.median(finite)) if finite.size else 0.0
            allowed = RELATIVE * np.maximum(np.abs(wanted), np.abs(got)) + _ROUNDING * usual
            equal |= (np.isnan(wanted) & np.isnan(got)) | (np.abs(wanted - got) <= allowed)
    return equal if equal.ndim == 1 else np.all(equal, axis=1)


def _as_read(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame as pandas reads it from JSON; an example whose texts are all null does not show how texts are read."""
    read = frame.copy(deep=False)
    for name in frame:
        if frame[name].dtype == object:
            read[name] = pd.Series(frame[name].tolist(), index=frame.index)
    return read


def _nulls_alone(example: pd.DataFrame) -> Sequence[pd.DataFrame]:
    """Return one row for each column of texts, in which it is null as pandas reads a null that is alone."""
    texts = [
        name for name in example if isinstance(example[name].dtype, pd.StringDtype) or example[name].dtype == object
    ]
    if not len(example):
        return []
    missing = [name for name in texts if pd.isna(example[name].iloc[0])]
    rows = []
    for name in texts:
        row = example.iloc[[0]].copy()
        for null in {name, *missing}:  # each of them is alone in one row
            row[null] = pd.Series([None], dtype=object, index=row.index)
        rows.append(row)
    return rows
