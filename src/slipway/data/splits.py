"""Which rows are trained on, chosen with, and tested with."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.model_selection import GroupShuffleSplit, ShuffleSplit, StratifiedShuffleSplit

from slipway.core.spec import Experiment, GroupSplit, RandomSplit, TimeSplit
from slipway.errors import DataUnusable


@dataclass(frozen=True)
class Splits:
    """Three disjoint parts of the same frame, each row in exactly one, and a sentence on how they were cut."""

    train: pd.DataFrame
    validation: pd.DataFrame
    test: pd.DataFrame
    rule: str

    @property
    def development(self) -> pd.DataFrame:
        """All that may be learned from: training and validation rows."""
        return pd.concat([self.train, self.validation])

    def parts(self) -> dict[str, pd.DataFrame]:
        return {"train": self.train, "validation": self.validation, "test": self.test}


def split(frame: pd.DataFrame, experiment: Experiment) -> Splits:
    """Cut a frame in three as the experiment says; the same frame and seed give the same parts.

    By time, every validation row is later than every training row, and every test row later than both: rows of one moment are
    never parted. By group, no group is on two sides. At random, classes keep their shares.

    Raises DataUnusable when a part is left without rows, or a training part has one class only.
    """
    match experiment.split:
        case TimeSplit() as by_time:
            splits = _by_time(frame, str(experiment.data.time), by_time)
        case GroupSplit() as by_group:
            splits = _by_group(frame, by_group, experiment.search.seed)
        case RandomSplit() as at_random:
            stratify = frame[experiment.data.target] if experiment.task.is_classification else None
            splits = _at_random(frame, at_random, stratify, experiment.search.seed)
    _require_usable(splits, experiment)
    return splits


def _by_time(frame: pd.DataFrame, time: str, rule: TimeSplit) -> Splits:
    times = frame[time]
    if rule.validation_from and rule.test_from:
        validation_from, test_from = pd.Timestamp(rule.validation_from), pd.Timestamp(rule.test_from)
    else:
        cuts = times.quantile([1 - rule.test - rule.validation, 1 - rule.test], interpolation="higher")
        validation_from, test_from = (pd.Timestamp(cut) for cut in cuts)
    return Splits(
        train=frame[times < validation_from],
        validation=frame[(times >= validation_from) & (times < test_from)],
        test=frame[times >= test_from],
        rule=f"by {time}: validation from {validation_from}, test from {test_from}",
    )


def _by_group(frame: pd.DataFrame, rule: GroupSplit, seed: int) -> Splits:
    groups = frame[rule.group]
    if groups.nunique() < 3:
        raise DataUnusable(f"a split by {rule.group} needs three groups or more; found {groups.nunique()}")
    rest, test = next(GroupShuffleSplit(1, test_size=rule.test, random_state=seed).split(frame, groups=groups))
    again = GroupShuffleSplit(1, test_size=rule.validation / (1 - rule.test), random_state=seed)
    train, validation = next(again.split(rest, groups=groups.iloc[rest]))
    return _cut(frame, rest[train], rest[validation], test, f"by group {rule.group}")


def _at_random(frame: pd.DataFrame, rule: RandomSplit, stratify: pd.Series | None, seed: int) -> Splits:
    kind = ShuffleSplit if stratify is None else StratifiedShuffleSplit
    labels = np.zeros(len(frame)) if stratify is None else stratify.to_numpy()
    try:
        rest, test = next(kind(1, test_size=rule.test, random_state=seed).split(frame, labels))
        again = kind(1, test_size=rule.validation / (1 - rule.test), random_state=seed)
        train, validation = next(again.split(rest, labels[rest]))
    except ValueError as error:  # too few rows, or of one class
        raise DataUnusable(f"{len(frame)} rows cannot be split at random: {error}") from error
    return _cut(
        frame,
        rest[train],
        rest[validation],
        test,
        "at random" + ("" if stratify is None else ", classes in proportion"),
    )


def _cut(frame: pd.DataFrame, train: np.ndarray, validation: np.ndarray, test: np.ndarray, rule: str) -> Splits:
    return Splits(frame.iloc[np.sort(train)], frame.iloc[np.sort(validation)], frame.iloc[np.sort(test)], rule)


def _require_usable(splits: Splits, experiment: Experiment) -> None:
    for name, part in splits.parts().items():
        if not len(part):
            raise DataUnusable(f"the {name} part of the split has no rows ({splits.rule})")
    if not experiment.task.is_classification:
        return
    target = experiment.data.target
    for name, part in splits.parts().items():
        if part[target].nunique() < 2:
            (only,) = part[target].head(1).tolist()
            raise DataUnusable(f"the {name} part has one class only: {target} is always {only!r} ({splits.rule})")
    if unseen := set(splits.test[target]) - set(splits.train[target]):
        raise DataUnusable(f"{target} has classes in the test part that are not trained on: {sorted(unseen)}")
