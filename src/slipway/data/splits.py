"""The split of rows into training, validation and test rows.

First the test rows are cut off. The other rows are cut into training and validation rows, or into the folds of a
cross-validation.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.model_selection import (
    GroupKFold,
    GroupShuffleSplit,
    KFold,
    ShuffleSplit,
    StratifiedGroupKFold,
    StratifiedKFold,
    StratifiedShuffleSplit,
)

from slipway.core.spec import Experiment, GroupSplit, OwnSplit, RandomSplit, TimeSplit
from slipway.data.own_split import own_parts
from slipway.errors import DataUnusable

Positions = NDArray[np.intp]
Fold = tuple[Positions, Positions]
"""Positions of training rows and of validation rows among the development rows."""


@dataclass(frozen=True)
class Splits:
    """The parts of the data.

    Attributes:
        development: The rows to train on and to choose with.
        test: The rows to measure the winner on, once.
        folds: One pair of training and validation rows, together all development rows, or the pairs of a cross-validation.
        rule: A sentence on how the rows were cut.
    """

    development: pd.DataFrame
    test: pd.DataFrame
    folds: tuple[Fold, ...]
    rule: str

    def parts(self) -> dict[str, pd.DataFrame]:
        """Return the disjoint parts by name: train, validation and test, or development and test with several folds."""
        if len(self.folds) > 1:
            return {"development": self.development, "test": self.test}
        return {"train": self.train, "validation": self.validation, "test": self.test}

    @property
    def train(self) -> pd.DataFrame:
        """The training rows of the only fold; all development rows with several folds."""
        return self.development.iloc[self.folds[0][0]] if len(self.folds) == 1 else self.development

    @property
    def validation(self) -> pd.DataFrame:
        """The validation rows of the only fold; no rows with several folds."""
        return self.development.iloc[self.folds[0][1] if len(self.folds) == 1 else []]


def split(frame: pd.DataFrame, experiment: Experiment, own: Callable[..., Any] | None = None) -> Splits:
    """Cut a frame by the experiment's rule; the same frame and seed give the same parts.

    By time, every validation row is later than every training row, every test row is later than both, and rows of one moment
    are in the same part. By group, all rows of a group are in the same part. At random, classes keep their shares. `own` is
    the function of a split of the experiment's own.

    Raises DataUnusable when a part is left without rows, when a training part has one class only, or when the test part has
    a class that is not trained on.
    """
    rule = experiment.split
    match rule:
        case TimeSplit():
            times = frame[str(experiment.data.time)]
            splits = _time_folds(frame, times, rule) if rule.folds else _by_time(frame, times, rule)
        case GroupSplit():
            splits = _by_group(frame, experiment, rule)
        case RandomSplit():
            splits = _at_random(frame, experiment, rule)
        case OwnSplit():
            splits = _by_function(frame, experiment, rule, own)
    _require_usable(splits, experiment)
    return splits


def _by_time(frame: pd.DataFrame, times: pd.Series, rule: TimeSplit) -> Splits:
    if rule.validation_from and rule.test_from:
        validation_from, test_from = pd.Timestamp(rule.validation_from), pd.Timestamp(rule.test_from)
    else:
        shares = [1 - rule.test - rule.validation_share, 1 - rule.test]
        validation_from, test_from = (pd.Timestamp(cut) for cut in times.quantile(shares, interpolation="higher"))
    train, validation = frame[times < validation_from], frame[(times >= validation_from) & (times < test_from)]
    how = f"by {times.name}: validation from {validation_from}, test from {test_from}"
    return _in_three(train, validation, frame[times >= test_from], how)


def _time_folds(frame: pd.DataFrame, times: pd.Series, rule: TimeSplit) -> Splits:
    """Cut the moments before the test into equal parts; each fold validates on one part and trains on all parts before."""
    count = rule.folds or 0
    test_from = (
        pd.Timestamp(rule.test_from) if rule.test_from else times.quantile(1 - rule.test, interpolation="higher")
    )
    development = frame[times < test_from]
    moments = development[times.name]
    cuts = [moments.quantile(i / (count + 1), interpolation="higher") for i in range(1, count + 1)]
    ends = [*cuts, test_from]
    folds = [(_where(moments < start), _where((moments >= start) & (moments < end))) for start, end in pairwise(ends)]
    how = f"by {times.name}: {count} folds, each validated on what follows its training rows, test from {test_from}"
    return Splits(development, frame[times >= test_from], tuple(folds), how)


def _by_group(frame: pd.DataFrame, experiment: Experiment, rule: GroupSplit) -> Splits:
    groups, seed = frame[rule.group], experiment.search.seed
    needed = (rule.folds or 2) + 1
    if groups.nunique() < needed:
        raise DataUnusable(
            f"a split by {rule.group} needs {needed} groups or more, one of them for the test; found {groups.nunique()}"
        )
    rest, test = next(GroupShuffleSplit(1, test_size=rule.test, random_state=seed).split(frame, groups=groups))
    how = f"by group {rule.group}"
    if rule.folds:
        kind = StratifiedGroupKFold if experiment.task.is_classification else GroupKFold
        again = kind(rule.folds, shuffle=True, random_state=seed)
        return _in_folds(frame, rest, test, again, experiment, rule.folds, how, groups.iloc[np.sort(rest)])
    once = GroupShuffleSplit(1, test_size=rule.validation_share / (1 - rule.test), random_state=seed)
    train, validation = next(once.split(rest, groups=groups.iloc[rest]))
    return _cut(frame, rest[train], rest[validation], test, how)


def _at_random(frame: pd.DataFrame, experiment: Experiment, rule: RandomSplit) -> Splits:
    seed, stratified = experiment.search.seed, experiment.task.is_classification
    kind = StratifiedShuffleSplit if stratified else ShuffleSplit
    labels = frame[experiment.data.target].to_numpy() if stratified else np.zeros(len(frame))
    how = "at random" + (", classes in proportion" if stratified else "")
    try:
        rest, test = next(kind(1, test_size=rule.test, random_state=seed).split(frame, labels))
        if rule.folds:
            again = (StratifiedKFold if stratified else KFold)(rule.folds, shuffle=True, random_state=seed)
            return _in_folds(frame, rest, test, again, experiment, rule.folds, how)
        once = kind(1, test_size=rule.validation_share / (1 - rule.test), random_state=seed)
        train, validation = next(once.split(rest, labels[rest]))
    except ValueError as error:  # too few rows, or of one class
        raise DataUnusable(f"{len(frame)} rows cannot be split at random: {error}") from error
    return _cut(frame, rest[train], rest[validation], test, how)


def _by_function(
    frame: pd.DataFrame, experiment: Experiment, rule: OwnSplit, function: Callable[..., Any] | None
) -> Splits:
    assert function is not None
    rest, test, folds, how = own_parts(frame, experiment, rule, function)
    return Splits(frame.iloc[rest], frame.iloc[test], folds, how)


def _in_folds(
    frame: pd.DataFrame,
    rest: Positions,
    test: Positions,
    folds: Any,
    experiment: Experiment,
    count: int,
    rule: str,
    groups: pd.Series | None = None,
) -> Splits:
    development = frame.iloc[np.sort(rest)]
    cut = tuple(folds.split(development, development[experiment.data.target], groups))
    return Splits(development, frame.iloc[np.sort(test)], cut, f"{rule}, {count} folds")


def _cut(frame: pd.DataFrame, train: Positions, validation: Positions, test: Positions, rule: str) -> Splits:
    return _in_three(frame.iloc[np.sort(train)], frame.iloc[np.sort(validation)], frame.iloc[np.sort(test)], rule)


def _in_three(train: pd.DataFrame, validation: pd.DataFrame, test: pd.DataFrame, rule: str) -> Splits:
    development = pd.concat([train, validation])
    first = np.arange(len(train), dtype=np.intp)
    fold = (first, np.arange(len(train), len(development), dtype=np.intp))
    return Splits(development, test, (fold,), rule)


def _where(rows: pd.Series) -> Positions:
    return np.flatnonzero(rows.to_numpy())


def _require_usable(splits: Splits, experiment: Experiment) -> None:
    parts = splits.parts()
    if len(splits.folds) > 1:
        for i, fold in enumerate(splits.folds, start=1):
            for side, positions in zip(("training", "validation"), fold, strict=True):
                parts[f"{side} side of fold {i}"] = splits.development.iloc[positions]
    for name, part in parts.items():
        if not len(part):
            raise DataUnusable(f"the {name} part of the split has no rows ({splits.rule})")
    if not experiment.task.is_classification:
        return
    target = experiment.data.target
    for name, part in parts.items():
        if part[target].nunique() < 2:
            (only,) = part[target].head(1).tolist()
            raise DataUnusable(f"the {name} part has one class only: {target} is always {only!r} ({splits.rule})")
    if unseen := set(splits.test[target]) - set(splits.train[target]):
        raise DataUnusable(f"{target} has classes in the test part that are not trained on: {sorted(unseen)}")
