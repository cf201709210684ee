"""The permutation importance of each column: by how much the metric falls when the column's values are shuffled.

Breiman, Random Forests (2001), section 10. Shuffled copies of the rows are answered many at a time: a pipeline takes about as
long for one row as for a thousand, and scikit-learn's own function asks it anew for each copy.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from slipway.core.prediction import predict, predict_as_before, weighted
from slipway.core.statistics.intervals import one_blas_thread
from slipway.core.statistics.metrics import Array, Outcome
from slipway.search import search_metric
from slipway.workflows.project import Declared
from slipway.workflows.training.evaluate import Evaluated
from slipway.workflows.training.prepare import Prepared

Scores = Callable[[pd.DataFrame, int], Sequence[float]]
"""From so many copies of the rows, one below the other, to a score of each copy; higher is better."""

_REPEATS = 3
# The importances are only looked at: a sample of so many rows orders the columns well enough.
_MOST_ROWS, _FEWEST_ROWS = 2000, 100
# Each copy has a column shuffled, and all the others with it: the cells that are answered grow by the square of the columns.
_MOST_CELLS = 200_000_000
_ROWS_AT_A_TIME = 20_000


@dataclass(frozen=True)
class Importance:
    """By how much a score falls when a column is shuffled: mean and standard deviation over the shuffles, (columns,)."""

    columns: Sequence[str]
    mean: Array
    deviation: Array


@one_blas_thread
def importance(spec: Declared, prepared: Prepared, evaluated: Evaluated) -> Importance:
    """Return the importance of the winner's columns for the search metric, measured on a sample of the test rows."""
    experiment, inputs, test = spec.experiment, list(evaluated.inputs), prepared.splits.test
    metric = search_metric(spec.folder, experiment, prepared.classes)
    sample = test.sample(min(sampled(len(inputs)), len(test)), random_state=experiment.search.seed)
    truth, sign = sample[experiment.data.target], 1.0 if metric.greater_is_better else -1.0
    about = (experiment.task, prepared.classes)
    whole = predict(evaluated.pipeline, sample[inputs], truth, *about)

    def score(outcome: Outcome) -> float:
        return sign * metric.prepare(weighted(outcome, sample, experiment.data))(np.ones(outcome.rows))

    def scores(rows: pd.DataFrame, copies: int) -> Sequence[float]:
        truths = pd.concat([truth] * copies)
        answers = predict_as_before(evaluated.pipeline, rows, truths, *about, whole)
        return [score(answers.take(copy)) for copy in np.split(np.arange(len(rows)), copies)]

    return permuted(scores, score(whole), sample[inputs], experiment.search.seed)


def sampled(columns: int) -> int:
    """Return how many rows are sampled for so many columns."""
    return int(np.clip(_MOST_CELLS // (_REPEATS * columns**2), _FEWEST_ROWS, _MOST_ROWS))


def permuted(scores: Scores, whole: float, rows: pd.DataFrame, seed: int) -> Importance:
    """Return the importance of each column of the rows, with the shuffles of scikit-learn's `permutation_importance`.

    whole: the score of the rows as they are.
    """
    shuffles, columns = _shuffles(len(rows), seed), [str(name) for name in rows]
    copies = (_with_shuffled(rows, column, shuffle) for column in columns for shuffle in shuffles)
    found: list[float] = []
    for batch in _batches(copies, max(1, _ROWS_AT_A_TIME // len(rows))):
        found += scores(pd.concat(batch, ignore_index=True), len(batch))
    falls = whole - np.reshape(found, (len(columns), _REPEATS))
    return Importance(columns, falls.mean(axis=1), falls.std(axis=1))


def _shuffles(rows: int, seed: int) -> list[NDArray[np.intp]]:
    """Return the orders of the rows, which are the same for each column."""
    rng = np.random.RandomState(np.random.RandomState(seed).randint(np.iinfo(np.int32).max + 1))
    order, shuffled, made = np.arange(rows), np.arange(rows), []
    for _ in range(_REPEATS):
        rng.shuffle(order)
        shuffled = shuffled[order]  # scikit-learn shuffles on what is shuffled already
        made.append(shuffled)
    return made


def _with_shuffled(rows: pd.DataFrame, column: str, order: NDArray[np.intp]) -> pd.DataFrame:
    copy = rows.copy(deep=False)
    copy[column] = rows[column].array.take(order)
    return copy


def _batches(copies: Iterator[pd.DataFrame], most: int) -> Iterator[list[pd.DataFrame]]:
    while batch := list(islice(copies, most)):
        yield batch
