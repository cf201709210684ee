"""The guess of the task from the target: its classes, its positive class, its metric, and what a baseline reaches."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from slipway.core.casts import to_number
from slipway.core.spec import NUMBERS, ColumnType
from slipway.core.tasks import Task
from slipway.data.profile.columns import ColumnProfile
from slipway.errors import DataUnusable, some_of

_MOST_CLASSES_OF_NUMBERS, _MOST_CLASSES, _MANY_CLASSES = 10, 200, 30
_STRONG_IMBALANCE = 0.05
_FEW_OF_A_CLASS = 10
_YES = ("yes", "y", "true", "t", "1")


@dataclass(frozen=True)
class TargetGuess:
    """The task that a target suggests.

    Attributes:
        type: the column type of the target.
        task: the task.
        why: the reason for the task.
        metric: the metric to search by.
        metric_why: the reason for the metric.
        positive: the positive class of a binary task; None otherwise.
        positive_why: the reason for the positive class.
        shares: the share of the rows of each class, the most frequent first; empty for a regression.
        doubts: what a person has to look at.
    """

    type: ColumnType
    task: Task
    why: str
    metric: str
    metric_why: str
    positive: bool | int | str | None = None
    positive_why: str = ""
    shares: Mapping[Any, float] = field(default_factory=dict)
    doubts: tuple[str, ...] = ()


def target_of(column: ColumnProfile, task: Task | None = None, metric: str | None = None) -> TargetGuess:
    """Return the task that a target suggests; `task` and `metric` are those that a person chose.

    Raises DataUnusable for a target that no task fits.
    """
    classes, type_ = _classes(column)
    total = sum(classes.values())
    if len(classes) < 2:
        only = next(iter(classes), None)
        found = "has no value at all" if only is None else f"is always {only!r}"
        raise DataUnusable(
            f"the target {column.name} {found}; a target with two values or more is needed to learn from"
        )
    task, why = (task, "as it was asked for") if task else _task(column, classes)
    if task is Task.REGRESSION:
        if type_ is ColumnType.CATEGORY and all(_is_number(value) for value in classes):
            type_ = ColumnType.INT  # whole numbers that were taken for codes
        if type_ not in NUMBERS:
            raise DataUnusable(f"the target {column.name} holds {column.kind.why}, and a regression is of numbers")
        chosen, reason = (metric, "as it was asked for") if metric else ("rmse", "the usual one of a regression")
        return TargetGuess(type_, task, why, chosen, reason)
    if task is Task.BINARY and len(classes) != 2:
        raise DataUnusable(f"the target {column.name} has {len(classes):,} values, and a binary task has two")
    if type_ is ColumnType.FLOAT:
        raise DataUnusable(f"the target {column.name} holds fractions, which are no classes; a regression fits them")
    shares = {value: count / total for value, count in sorted(classes.items(), key=lambda each: -each[1])}
    positive, positive_why = _positive(shares) if task is Task.BINARY else (None, "")
    chosen, reason = (metric, "as it was asked for") if metric else _metric(task, shares, positive)
    doubts = _doubts(column.name, classes, task, shares, positive)
    return TargetGuess(type_, task, why, chosen, reason, positive, positive_why, shares, doubts)


def _classes(column: ColumnProfile) -> tuple[dict[Any, int], ColumnType]:
    """Return how often each value of the target occurs, as a model answers the values, and the type of the target."""
    counted, type_ = column.count.values, column.kind.type
    if type_ is ColumnType.BOOL and any(str(value).strip().lower() in ("0", "1", "0.0", "1.0") for value in counted):
        type_ = ColumnType.INT
    elif type_ is ColumnType.BOOL and any(str(value).strip().lower() not in ("true", "false") for value in counted):
        type_ = ColumnType.CATEGORY  # a model of Yes and No answers Yes and No
    if type_ in (ColumnType.DATETIME, ColumnType.TEXT):
        type_ = ColumnType.CATEGORY
    read: dict[Any, int] = {}
    for value, count in counted.items():
        key = _read(value, type_)
        read[key] = read.get(key, 0) + count
    if type_ is ColumnType.INT and column.kind.keys:
        return read, ColumnType.INT
    return read, type_


def _read(value: Any, type_: ColumnType) -> Any:
    if type_ is ColumnType.BOOL:
        return str(value).strip().lower() == "true"
    if type_ in NUMBERS:
        number = to_number(pd.Series([value])).iloc[0]
        return int(number) if number == number and float(number).is_integer() else value
    return str(value)


def _is_number(value: Any) -> bool:
    return bool(to_number(pd.Series([value])).notna().all())


def _task(column: ColumnProfile, classes: Mapping[Any, int]) -> tuple[Task, str]:
    if len(classes) == 2 and column.kind.type is not ColumnType.FLOAT:
        first, second = sorted(map(str, classes))
        return Task.BINARY, f"{column.name} has two values, {first} and {second}"
    if column.kind.type is ColumnType.FLOAT:
        return Task.REGRESSION, f"{column.name} holds numbers with fractions"
    if column.kind.type is ColumnType.INT:
        if len(classes) <= _MOST_CLASSES_OF_NUMBERS:
            return Task.MULTICLASS, f"{column.name} has {len(classes)} values, all whole numbers"
        return Task.REGRESSION, f"{column.name} holds {len(classes):,} different whole numbers"
    if len(classes) > _MOST_CLASSES or column.kind.type is ColumnType.DATETIME:
        raise DataUnusable(
            f"the target {column.name} holds {len(classes):,} different values ({column.kind.why}), too many for classes, "
            "and no numbers; name another --target, or make numbers or fewer classes of it where the table is made"
        )
    return Task.MULTICLASS, f"{column.name} has {len(classes)} values"


def _positive(shares: Mapping[Any, float]) -> tuple[Any, str]:
    (often, _), (rare, share) = shares.items()
    for value, other in ((rare, often), (often, rare)):
        if str(value).strip().lower() in _YES and str(other).strip().lower() not in _YES:
            return value, f"it says yes; {shares[value]:.1%} of the rows have it"
    return rare, f"the rarer class: {share:.1%} of the rows have it"


def _metric(task: Task, shares: Mapping[Any, float], positive: object) -> tuple[str, str]:
    if task is Task.MULTICLASS:
        return "log_loss", "it asks for good probabilities of every class"
    if shares[positive] < _STRONG_IMBALANCE:
        return "average_precision", f"only {shares[positive]:.1%} of the rows are positive"
    return "roc_auc", "it asks for a good order, whatever the threshold"


def _doubts(
    name: str, classes: Mapping[Any, int], task: Task, shares: Mapping[Any, float], positive: object
) -> tuple[str, ...]:
    doubts = []
    if task is Task.BINARY and shares[positive] < _STRONG_IMBALANCE:
        doubts.append(
            f"strong imbalance: {classes[positive]:,} rows, {shares[positive]:.2%}, are {positive!r}; say in scope.costs what "
            "a wrong answer costs"
        )
    rare = [value for value, count in classes.items() if count < _FEW_OF_A_CLASS]
    if rare:
        shown = some_of([f"{value!r} ({classes[value]})" for value in rare], 5)
        doubts.append(f"classes with few rows: {shown}; join them with others, or find more rows of {name}")
    if len(classes) > _MANY_CLASSES:
        doubts.append(
            f"{len(classes)} classes; a search takes as many times longer, and rare classes are hard to learn"
        )
    return tuple(doubts)
