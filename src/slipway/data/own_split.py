"""A split by a function of the experiment's own: a scikit-learn splitter, or pairs of positions."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.model_selection import ShuffleSplit, StratifiedShuffleSplit

from slipway.core.spec import Experiment, OwnSplit
from slipway.errors import CodeInvalid, DataUnusable

Positions = NDArray[np.intp]
Pairs = tuple[tuple[Positions, Positions], ...]
MOST_FOLDS = 50
_LEAST_COVERED = 0.5


def own_parts(
    frame: pd.DataFrame, experiment: Experiment, rule: OwnSplit, function: Callable[..., Any]
) -> tuple[Positions, Positions, Pairs, str]:
    """Return the positions of development and test rows, the folds of the development rows, and the rule in words.

    Raises CodeInvalid where the function fails, gives other pairs when it is called again, pairs that share a row or name rows
    that are not there, or leaves out more than half of the development rows.
    """
    rest, test, how = _test_part(frame, experiment, rule, function)
    development = frame.iloc[rest]
    folds, by = _pairs(development, experiment, rule, function)
    covered = np.unique(np.concatenate([side for fold in folds for side in fold]))
    if len(covered) < _LEAST_COVERED * len(rest):
        raise CodeInvalid(
            f"{rule.function} uses {len(covered):,} of {len(rest):,} development rows; together the folds, pairs of positions "
            "of training and of validation rows, have to hold half of the rows or more"
        )
    count = "1 fold" if len(folds) == 1 else f"{len(folds)} folds"
    return rest, test, folds, f"by {by}, {count}; test {how}"


def _test_part(
    frame: pd.DataFrame, experiment: Experiment, rule: OwnSplit, function: Callable[..., Any]
) -> tuple[Positions, Positions, str]:
    if rule.test_from:
        later = (frame[str(experiment.data.time)] >= pd.Timestamp(rule.test_from)).to_numpy()
        return np.flatnonzero(~later), np.flatnonzero(later), f"from {pd.Timestamp(rule.test_from)}"
    if rule.test == "first":
        pairs, _ = _pairs(frame, experiment, rule, function)
        return np.sort(pairs[0][0]), np.sort(pairs[0][1]), "by its first pair"
    stratified = experiment.task.is_classification
    kind = StratifiedShuffleSplit if stratified else ShuffleSplit
    labels = frame[experiment.data.target].to_numpy() if stratified else np.zeros(len(frame))
    try:
        once = kind(1, test_size=rule.test, random_state=experiment.search.seed)
        rest, test = next(once.split(frame, labels))
    except ValueError as error:  # too few rows, or of one class
        raise DataUnusable(f"{len(frame)} rows cannot be split at random: {error}") from error
    return np.sort(rest), np.sort(test), "at random" + (", classes in proportion" if stratified else "")


def _pairs(
    rows: pd.DataFrame, experiment: Experiment, rule: OwnSplit, function: Callable[..., Any]
) -> tuple[Pairs, str]:
    """Return the checked pairs of a function, and its name in words. The function is called twice, and has to agree."""
    first, by = _called(rows, experiment, rule, function)
    again, _ = _called(rows, experiment, rule, function)
    sides, same_sides = ([side for fold in pairs for side in fold] for pairs in (first, again))
    same = len(first) == len(again) and all(map(np.array_equal, sides, same_sides))
    if not same:
        raise CodeInvalid(f"{rule.function} gave other pairs when it was called again; give it a random_state")
    if not 1 <= len(first) <= MOST_FOLDS:
        raise CodeInvalid(f"{rule.function} gave {len(first)} pairs; 1 to {MOST_FOLDS} are allowed")
    for i, fold in enumerate(first, start=1):
        _require_apart(rule.function, i, fold, len(rows))
    return first, by


def _called(
    rows: pd.DataFrame, experiment: Experiment, rule: OwnSplit, function: Callable[..., Any]
) -> tuple[Pairs, str]:
    try:
        made = function(rows.copy(), **rule.params)
        by = f"{rule.function} ({made})" if hasattr(made, "split") else rule.function
        pairs = _split(made, rows, experiment, rule) if hasattr(made, "split") else made
        return tuple((_positions(train), _positions(validation)) for train, validation in pairs), by
    except CodeInvalid:
        raise
    except Exception as error:  # the experiment's own code may raise anything
        raise CodeInvalid(
            f"{rule.function} failed: {type(error).__name__}: {error}; it gets the rows, and returns a scikit-learn splitter, "
            "or pairs of positions of training and of validation rows"
        ) from error


def _split(splitter: Any, rows: pd.DataFrame, experiment: Experiment, rule: OwnSplit) -> Iterable[Any]:
    pairs: Iterable[Any] = splitter.split(rows, rows[experiment.data.target], rows[rule.group] if rule.group else None)
    return pairs


def _positions(given: Any) -> Positions:
    positions = np.asarray(given)
    if positions.ndim != 1 or (positions.size and positions.dtype.kind not in "iu"):
        raise ValueError(
            f"a side of a pair is a list of whole numbers; found {positions.dtype} of shape {positions.shape}"
        )
    return positions.astype(np.intp)


def _require_apart(function: str, number: int, fold: tuple[Positions, Positions], rows: int) -> None:
    for side, positions in zip(("training", "validation"), fold, strict=True):
        if not positions.size:
            raise CodeInvalid(f"{function}: the {side} side of pair {number} has no rows")
        if outside := [int(end) for end in (positions.min(), positions.max()) if not 0 <= end < rows]:
            raise CodeInvalid(
                f"{function}: the {side} side of pair {number} names position {outside[0]}; positions are 0 to {rows - 1:,}, "
                "whatever the index of the rows"
            )
        if len(np.unique(positions)) != len(positions):
            raise CodeInvalid(f"{function}: the {side} side of pair {number} names a row twice")
    if shared := np.intersect1d(*fold).size:
        raise CodeInvalid(
            f"{function}: {shared:,} rows are on both sides of pair {number}; training rows are not validated on"
        )
