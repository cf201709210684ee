"""The rehearsal of a search: each candidate is fitted on a few rows, stored and loaded, before the first trial.

A type that is not trusted, or a target that an estimator cannot take, would otherwise be found after a whole search.
"""

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from slipway.code import importable
from slipway.core.prediction import encode, weighted
from slipway.core.space import spread
from slipway.errors import CodeInvalid, UntrustedModel, how_to_get
from slipway.progress import step
from slipway.registry.trust import stored_and_loaded
from slipway.search import Question, build_pipeline, fit, fit_baselines, own_metrics, require_values
from slipway.search.boosters import few_trees

_ROWS = 300
# Cross-validation inside a candidate (a calibration's, a stack's) needs some rows of each class.
_LEAST_OF_A_CLASS = 10
_POINTS = 5


def rehearse(question: Question, trusted: Sequence[str]) -> None:
    """Fit each candidate on a few development rows, store it and load it again.

    A candidate passes when one of a few points of its space can be fitted, since a search bears trials that fail.

    Args:
        question: the development rows and the candidates.
        trusted: types beside Slipway's own list that a model may hold.

    Raises UntrustedModel for all candidates with a type that is not trusted, CodeInvalid for the first that cannot be fitted.
    """
    with step("candidates: fitted on a few rows, stored, loaded"), _quiet(), importable(question.folder):
        _require_metrics(question)
        refused = _refused(question, few_rows(question), trusted)
    if refused:
        lines = "\n".join(f"  {each}" for each in refused)
        headline = f"{len(refused)} candidate(s) cannot be stored and loaded again; nothing was trained:"
        raise UntrustedModel(f"{headline}\n{lines}")


def _require_metrics(question: Question) -> None:
    """Compute the experiment's own metrics on the answers of the constant baseline to the validation rows of one fold."""
    experiment = question.experiment
    if own := own_metrics(question.folder, experiment, question.classes):
        train, validation = next(question.parts(share=1.0))
        constant = fit_baselines(question.folder, experiment, train, question.classes)[0]
        answers = constant.predict(validation[list(experiment.data.features)], validation[experiment.data.target])
        require_values(own, weighted(answers, validation, experiment.data))


def _refused(question: Question, few: pd.DataFrame, trusted: Sequence[str]) -> list[str]:
    refused = []
    for name in question.experiment.search.candidates:
        fitted = _fitted(question, name, few)
        try:
            stored_and_loaded(fitted, trusted)
        except UntrustedModel as error:
            refused.append(f"candidate '{name}': {error}")
    return refused


@contextmanager
def _quiet() -> Iterator[None]:
    """Let no fit warn or use threads, which on a busy machine spin at each other's barriers: seconds, for few rows."""
    with warnings.catch_warnings(), threadpool_limits(1):
        warnings.simplefilter("ignore")
        yield


def few_rows(question: Question) -> pd.DataFrame:
    """Return a few development rows in their order, with every class among them."""
    rows, rng = question.rows, np.random.default_rng(question.experiment.search.seed)
    mixed = rng.permutation(len(rows))
    if not question.classes:
        return rows.iloc[np.sort(mixed[:_ROWS])]
    most = max(_LEAST_OF_A_CLASS, _ROWS // len(question.classes))
    truth = rows[question.experiment.data.target].to_numpy()[mixed]
    return rows.iloc[np.sort(pd.Series(mixed).groupby(truth).head(most).to_numpy())]


def _fitted(question: Question, name: str, few: pd.DataFrame) -> Any:
    """Return the candidate, fitted on a few rows, or on all where these are too few for it. Raises CodeInvalid."""
    points = spread(question.experiment.search.candidates[name].space, _POINTS)
    tries = [(few, point) for point in points]
    if len(few) < len(question.rows):
        tries.append((question.rows, points[0]))
    failures = []
    for rows, point in tries:
        try:
            return _fit(question, name, point, rows)
        except Exception as error:  # an estimator may raise anything  # noqa: BLE001
            failures.append(error)
    first = failures[0]
    advice = _advice(question, name, points[0], few, first)
    raise CodeInvalid(
        f"candidate '{name}' cannot be fitted; nothing was trained: {_reason(first)}; {advice}"
    ) from first


def _reason(error: Exception) -> str:
    return str(error) if isinstance(error, CodeInvalid) else f"{type(error).__name__}: {str(error).rstrip('.')}"


def _fit(question: Question, name: str, point: dict[str, Any], rows: pd.DataFrame) -> Any:
    few = few_trees(question.experiment.search.candidates[name])
    pipeline = build_pipeline(question.folder, question.experiment, name, {**point, **few}, rows)
    return fit(question.experiment, name, pipeline, rows)


def _advice(question: Question, name: str, point: dict[str, Any], rows: pd.DataFrame, failure: Exception) -> str:
    """Return what to do next; the classes are to blame where the candidate can be fitted on their numbers."""
    if isinstance(failure, ModuleNotFoundError):
        return how_to_get(str(failure.name))
    mend = "mend the candidate's params or space, or take the candidate out"
    codes = list(range(len(question.classes)))
    if not codes or list(question.classes) == codes:
        return mend
    try:
        target = question.experiment.data.target
        _fit(question, name, point, rows.assign(**{target: encode(rows[target], question.classes).astype(int)}))
    except Exception:  # the classes are not to blame  # noqa: BLE001
        return mend
    numbers, classes = (", ".join(map(str, each[:6])) for each in (codes, question.classes))
    return f"it takes the classes as {numbers}, and not as {classes}: let the source give the target as such numbers"
