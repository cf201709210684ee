"""The leak audit: a search for columns and rows that make a model look better in the test than in use.

A column that alone predicts the target nearly perfectly is almost always the target in disguise, or a value that is known
only afterwards. Rows on both sides of a split let a model answer from memory.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.preprocessing import OrdinalEncoder
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from slipway.core.prediction import encode, scores_of
from slipway.core.spec import ColumnType, Experiment, TimeSplit
from slipway.core.statistics.metrics import METRICS, Array, Outcome
from slipway.core.tasks import Task

# Bounds of a score that is 0 for guessing and 1 for knowing: 2 * ROC AUC - 1, or R². Honest single columns stay far below.
REFUSED_FROM, WARNED_FROM = 0.95, 0.8
_MOST_ROWS = 20_000
# A category with more values than this share of the rows names the row, as an id does.
OWN_VALUE_SHARE = 0.5
_SAMPLE = 5
_LEAVES, _FEWEST_CLASSES = 8, 2

Values = NDArray[np.float32]


@dataclass(frozen=True)
class Leak:
    """One suspected leak; a fatal Leak refuses the training unless data.not_leaking lists the column."""

    columns: tuple[str, ...]
    message: str
    fatal: bool

    def __str__(self) -> str:
        return f"{', '.join(self.columns)}: {self.message}"


def audit(train: pd.DataFrame, held_out: pd.DataFrame, experiment: Experiment, classes: Sequence[Any]) -> list[Leak]:
    """Look for leaks between training rows and held-out rows (validation and test together), the worst first."""
    leaks = [
        *_telling_columns(train, held_out, experiment, classes),
        *_rows_on_both_sides(train, held_out, experiment),
        *_trained_on_the_future(train, held_out, experiment),
        *_identifiers(train, experiment),
        *_known_by_nobody(experiment),
    ]
    return sorted(leaks, key=lambda leak: not leak.fatal)


def _telling_columns(
    train: pd.DataFrame, held_out: pd.DataFrame, experiment: Experiment, classes: Sequence[Any]
) -> list[Leak]:
    """Fit a small tree on each feature alone; a feature that predicts the target nearly perfectly so is suspected."""
    seed, target = experiment.search.seed, experiment.data.target
    train, held_out = (part.sample(min(len(part), _MOST_ROWS), random_state=seed) for part in (train, held_out))
    answers = encode(train[target], classes), encode(held_out[target], classes)
    leaks = []
    for name in experiment.data.features:
        if name in experiment.data.not_leaking:
            continue
        knows = _knows(_codes(train[name], held_out[name]), answers, experiment.task, len(classes))
        if knows >= WARNED_FROM:
            fatal = knows >= REFUSED_FROM
            verb = "gives the target away" if fatal else "alone says very much about the target"
            scale = "0 is guessing, 1 is knowing"
            leaks.append(Leak((name,), f"{verb}: {knows:.3f} on held-out rows ({scale}), from this column only", fatal))
    return leaks


def _knows(columns: tuple[Values, Values], answers: tuple[Array, Array], task: Task, classes: int) -> float:
    """Return how much one column says of the target: 0 is guessing, 1 is knowing.

    Args:
        columns: the values of the column in training rows and in held-out rows, (rows, 1) each.
        answers: the class codes or values of the target in both, (rows,) each.
        task: the task.
        classes: the number of classes; 0 for a regression.
    """
    known, truth = answers
    if classes:  # a class that only one side has would leave the score without a value
        both = np.intersect1d(known, truth)
        if len(both) < _FEWEST_CLASSES:
            return 0.0
        rows, asked, classes = np.isin(known, both), np.isin(truth, both), len(both)
        columns = columns[0][rows], columns[1][asked]
        known, truth = (np.searchsorted(both, side).astype(float) for side in (known[rows], truth[asked]))
    kind = DecisionTreeClassifier if classes else DecisionTreeRegressor
    tree = kind(max_leaf_nodes=max(_LEAVES, 4 * classes), random_state=0).fit(columns[0], known)
    # The inner tree is asked: the checks of the outer one take longer than the answer, and there may be thousands of columns.
    leaves = tree.tree_.predict(columns[1])
    outcome = Outcome(truth, leaves.ravel())
    if classes:
        outcome = Outcome(truth, leaves.argmax(axis=1).astype(float), scores_of(task, leaves), probabilistic=True)
    metric, nothing = task.traits.knows
    value = METRICS[metric].prepare(outcome)(np.ones(outcome.rows))
    return (value - nothing) / (1 - nothing)


def _codes(train: pd.Series, held_out: pd.Series) -> tuple[Values, Values]:
    sides = [train.to_frame(), held_out.to_frame()]
    if train.dtype.kind not in "ifb":
        encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1, encoded_missing_value=-2)
        texts = [side.astype("str") for side in sides]
        return encoder.fit_transform(texts[0]).astype(np.float32), encoder.transform(texts[1]).astype(np.float32)
    left, right = (side.to_numpy(dtype=np.float32, copy=True) for side in sides)
    return left, right


def _rows_on_both_sides(train: pd.DataFrame, held_out: pd.DataFrame, experiment: Experiment) -> list[Leak]:
    columns = [*experiment.data.features, experiment.data.target]
    seen = set(pd.util.hash_pandas_object(train[columns], index=False))
    again = pd.util.hash_pandas_object(held_out[columns], index=False).isin(seen).to_numpy()
    if not again.any():
        return []
    rows = ", ".join(str(row) for row in held_out.index[again][:_SAMPLE])
    share = again.mean()
    message = (
        f"{int(again.sum())} held-out rows ({share:.1%}) are equal to training rows in every feature (rows {rows})"
    )
    return [Leak(("(rows)",), message, fatal=False)]


def _trained_on_the_future(train: pd.DataFrame, held_out: pd.DataFrame, experiment: Experiment) -> list[Leak]:
    time = experiment.data.time
    if time is None or isinstance(experiment.split, TimeSplit):
        return []  # a split by time keeps the order by construction
    later = int((train[time] > held_out[time].min()).sum())
    if not later:
        return []
    message = (
        f"{later} of {len(train)} training rows are later than the first held-out row ({held_out[time].min()}); "
        "what happens between them is known to the model in the test and will not be in use: split by time"
    )
    return [Leak((time,), message, fatal=False)]


def _identifiers(train: pd.DataFrame, experiment: Experiment) -> list[Leak]:
    leaks = []
    for name in experiment.data.features:
        values, rows = train[name].nunique(), len(train)
        if experiment.data.columns[name].type is ColumnType.CATEGORY and values > OWN_VALUE_SHARE * rows:
            message = f"{values} values in {rows} training rows: the column names the row, as an id does"
            leaks.append(Leak((name,), message, fatal=False))
    return leaks


def _known_by_nobody(experiment: Experiment) -> list[Leak]:
    unsaid = tuple(name for name in experiment.data.features if not experiment.data.columns[name].known)
    message = "`known` does not say how this is known when the prediction is made"
    return [Leak(unsaid, message, fatal=False)] if unsaid else []
