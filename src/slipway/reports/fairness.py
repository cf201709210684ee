"""The fairness of a model's answers to the groups of a sensitive column.

Fairlearn measures (Weerts et al., Fairlearn: Assessing and Improving Fairness of AI Systems, JMLR 24, 2023). Rows with the same
group, truth and answer are one cell with their number as weight: the values are the same, and 100,000 rows take as long
as 100.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np
import pandas as pd
from fairlearn.metrics import (
    MetricFrame,
    demographic_parity_difference,
    equalized_odds_difference,
    false_positive_rate,
    selection_rate,
    true_positive_rate,
)
from sklearn.metrics import accuracy_score, mean_absolute_error, precision_score, recall_score

from slipway.core.statistics.metrics import Outcome
from slipway.core.tasks import Task
from slipway.reports.card import CardFairness, CardGroup

FEWEST_ROWS = 30  # as for slices: rates of fewer rows are mostly noise, and so is their largest difference
MOST_CLASSES = 8
SELECTION, TRUE_POSITIVE, FALSE_POSITIVE = "selection rate", "true positive rate", "false positive rate"
PARITY, ODDS = "demographic parity difference", "equalized odds difference"

Cells = pd.DataFrame
"""Rows counted by `group`, `truth` and `predicted`: how many `rows`, their `weight` in all, and their mean `score`."""
Measures = dict[str, Callable[..., float]]
"""The measures of a table of groups by name; each takes the truth, the prediction and the weight of each cell."""


def fairness(
    task: Task, outcome: Outcome, groups: Mapping[str, pd.Series], classes: Sequence[str] = ()
) -> tuple[CardFairness, ...]:
    """Measure each group of each column.

    A binary task has selection rate, true and false positive rate, precision and mean score, with demographic parity and
    equalized odds differences. A multiclass task has accuracy and the recall of the most frequent classes, a regression mean
    error (actual minus predicted) and mean absolute error, both with the largest difference between groups. Groups of fewer
    than 30 rows are shown and not compared.

    Args:
        task: The task.
        outcome: The Outcome of the test rows.
        groups: By column the name of each row's group in the Outcome's order, as `slice_labels` makes them.
        classes: The name of each class code; empty for a regression.
    """
    return tuple(_column(column, task, _cells(outcome, names), classes) for column, names in groups.items())


def _cells(outcome: Outcome, names: pd.Series) -> Cells:
    group = names.astype("category").cat.remove_unused_categories()
    scores = (
        outcome.scores if outcome.scores is not None and outcome.scores.ndim == 1 else np.full(outcome.rows, np.nan)
    )
    answers = {"truth": outcome.truth, "predicted": outcome.predicted, "weight": outcome.counted}
    rows = pd.DataFrame({"group": group.array, **answers, "score": scores * outcome.counted})
    rows = rows[rows["weight"] > 0]
    alike = rows.groupby(["group", "truth", "predicted"], observed=True)
    cells = alike.agg(
        rows=("weight", "size"), weight=("weight", "sum"), score=("score", lambda each: each.sum(skipna=False))
    )
    return cells.assign(score=cells["score"] / cells["weight"]).reset_index()


def _column(column: str, task: Task, cells: Cells, classes: Sequence[str]) -> CardFairness:
    if cells.empty:
        return CardFairness(column, ())
    rows = cells.groupby("group", observed=True)["rows"].sum()
    measured = _measured(task, cells, classes).by_group.reindex(rows.index)
    if task.traits.has_positive:
        measured = _where_defined(measured, cells)
    groups = tuple(
        CardGroup(str(name), int(rows[name]), {str(measure): _plain(value) for measure, value in values.items()})
        for name, values in measured.to_dict("index").items()
    )
    large = cells[cells["group"].isin(rows.index[rows >= FEWEST_ROWS])]
    left_out = tuple(str(name) for name in rows.index[rows < FEWEST_ROWS])
    return CardFairness(column, groups, _differences(task, large, classes), left_out)


def _measured(task: Task, cells: Cells, classes: Sequence[str]) -> MetricFrame:
    measures = _MEASURES[task](cells, classes)
    weights = {name: {"sample_weight": cells["weight"]} for name in measures}
    return MetricFrame(
        metrics=measures,
        y_true=cells["truth"],
        y_pred=cells["predicted"],
        sensitive_features=cells["group"].astype(str),
        sample_params=weights,
    )


def _of_two_classes(_cells: Cells, _classes: Sequence[str]) -> Measures:
    return {
        SELECTION: selection_rate,
        TRUE_POSITIVE: true_positive_rate,
        FALSE_POSITIVE: false_positive_rate,
        "precision": partial(precision_score, zero_division=np.nan),
    }


def _of_several_classes(cells: Cells, classes: Sequence[str]) -> Measures:
    frequent = cells.groupby("truth")["weight"].sum().nlargest(MOST_CLASSES).index
    recalls = {
        f"recall of {classes[int(code)]}": partial(recall_score, labels=[code], average="micro", zero_division=np.nan)
        for code in sorted(frequent)
    }
    return {"accuracy": accuracy_score, **recalls}


def _of_values(_cells: Cells, _classes: Sequence[str]) -> Measures:
    return {"mean error": _mean_error, "mean absolute error": mean_absolute_error}


def _mean_error(truth: pd.Series, predicted: pd.Series, sample_weight: pd.Series) -> float:
    return float(np.average(truth - predicted, weights=sample_weight))


def _where_defined(measured: pd.DataFrame, cells: Cells) -> pd.DataFrame:
    """Replace rates among no rows, which fairlearn gives as 0, by missing values, and add the mean score to scores."""
    measured = measured.copy()
    for name, of in ((TRUE_POSITIVE, 1), (FALSE_POSITIVE, 0)):
        measured.loc[~measured.index.isin(_with(cells, of)), name] = np.nan
    if cells["score"].notna().all():
        total = (cells["score"] * cells["weight"]).groupby(cells["group"], observed=True).sum()
        measured["mean score"] = total / cells.groupby("group", observed=True)["weight"].sum()
    return measured


def _differences(task: Task, cells: Cells, classes: Sequence[str]) -> dict[str, float | None]:
    """Return the differences between the groups furthest apart; equalized odds need rows of both classes."""
    if task.traits.has_positive:
        both = cells[cells["group"].isin(_with(cells, 0) & _with(cells, 1))]
        measures = {PARITY: (cells, demographic_parity_difference), ODDS: (both, equalized_odds_difference)}
        return {name: _between(some, difference) for name, (some, difference) in measures.items()}
    compared = _COMPARED[task]
    if cells["group"].nunique() < 2:
        return dict.fromkeys((f"{name} difference" for name in compared), None)
    apart = _measured(task, cells, classes).difference()
    return {f"{name} difference": _plain(apart[name]) for name in compared}


def _between(cells: Cells, difference: Callable[..., float]) -> float | None:
    if cells["group"].nunique() < 2:
        return None
    return float(
        difference(
            cells["truth"],
            cells["predicted"],
            sensitive_features=cells["group"].astype(str),
            sample_weight=cells["weight"],
        )
    )


def _with(cells: Cells, truth: int) -> set[object]:
    return set(cells.loc[cells["truth"] == truth, "group"])


def _plain(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


_MEASURES: Mapping[Task, Callable[[Cells, Sequence[str]], Measures]] = {
    Task.BINARY: _of_two_classes,
    Task.MULTICLASS: _of_several_classes,
    Task.REGRESSION: _of_values,
}
# Of two classes the differences are fairlearn's own, demographic parity and equalized odds.
_COMPARED = {Task.MULTICLASS: ("accuracy",), Task.REGRESSION: ("mean error", "mean absolute error")}
