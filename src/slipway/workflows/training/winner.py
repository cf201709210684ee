"""The winner of a search: how it is fitted, and the record of it that lets it be fitted again.

A winner is fitted once, on all development rows: its trials saw the training rows of their folds only. Its threshold and curve
are learned on the answers that its trials gave to the validation rows, which are kept; only a trial of an earlier search, whose
answers are gone, is fitted on the folds again.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from threadpoolctl import threadpool_limits

from slipway.core.statistics.metrics import Array
from slipway.core.trials import EnsembleMember, Trial
from slipway.search import (
    Curve,
    KeptAnswers,
    Question,
    answers_of,
    build_pipeline,
    curve_through,
    decided,
    fit,
    learn_curve,
    vote,
)
from slipway.workflows.project import Declared
from slipway.workflows.training.prepare import Prepared, question_of

WINNER = "slipway.winner"


@dataclass(frozen=True)
class Winner:
    """The choices that make a model, beside the declaration and the data.

    Attributes:
        trial: the number of the trial; of an ensemble, that of its heaviest member.
        candidate: the candidate's name; of an ensemble, its own.
        params: the trial's point of the search space; of an ensemble, nothing.
        threshold: the probability from which the positive class is answered, chosen on validation rows; None without costs.
        calibrated: whether the probabilities go through a curve that was learned on validation rows.
        curve: slope and offset of that curve; None without a curve, and for a run of an older Slipway.
        members: the trials that answer together; empty for a single trial.
    """

    trial: int
    candidate: str
    params: Mapping[str, Any]
    threshold: float | None = None
    calibrated: bool = False
    curve: tuple[float, float] | None = None
    members: tuple[EnsembleMember, ...] = ()

    @property
    def candidates(self) -> tuple[str, ...]:
        """The names of the candidates that the answers come from."""
        return tuple(dict.fromkeys(member.candidate for member in self.parts))

    @property
    def parts(self) -> tuple[EnsembleMember, ...]:
        """The members of an ensemble, or the single trial as the only member."""
        return self.members or (EnsembleMember(self.trial, self.candidate, self.params, 1.0),)

    def as_tag(self) -> dict[str, str]:
        """Return the tag that a run keeps; `winner_from` reads the very same floats back."""
        return {WINNER: json.dumps(asdict(replace(self, params=dict(self.params))))}


def winner_from(tags: Mapping[str, str]) -> Winner:
    """Read the winner from the tags of a run. Raises KeyError for a run of Slipway 0.1, which kept no winner."""
    kept = json.loads(tags[WINNER])
    curve, members = kept.get("curve"), kept.get("members", ())
    return Winner(
        **{
            **kept,
            "curve": tuple(curve) if curve else None,
            "members": tuple(EnsembleMember(**each) for each in members),
        }
    )


def fit_chosen(spec: Declared, prepared: Prepared, trial: Trial, kept: KeptAnswers | None = None) -> tuple[Any, Winner]:
    """Fit the chosen trial, or the members of an ensemble, on all development rows; return the model and its Winner.

    Where costs are declared, the probabilities are calibrated, if that makes them better, and the threshold is chosen anew on
    the calibrated ones. Both are learned on validation rows, as answered by pipelines that saw the training rows alone.

    Args:
        spec: the experiment.
        prepared: its rows.
        trial: the trial or ensemble.
        kept: the answers of the trials of this search; a single trial that is not among them is fitted on the folds again.
    """
    threshold = trial.metrics.get("threshold") if spec.experiment.scope.costs else None
    winner = Winner(trial.number, trial.candidate, trial.params, threshold, members=trial.members)
    question = question_of(spec, prepared)
    curve = _curve(question, winner, kept) if threshold is not None else None
    if curve is not None:
        numbers = (curve.slope, curve.offset)
        winner = replace(winner, threshold=curve.threshold, calibrated=True, curve=numbers)
    return _fit(spec, prepared, winner, curve), winner


def fit_winner(spec: Declared, prepared: Prepared, winner: Winner) -> Any:
    """Fit a winner once more on all development rows and return the model, with its threshold and curve, if any."""
    curve = None
    if winner.curve is not None and winner.threshold is not None:
        curve = Curve(*winner.curve, winner.threshold)
    elif winner.calibrated:  # a run of an older Slipway did not keep the numbers
        curve = learn_curve(question_of(spec, prepared), winner.candidate, winner.params)
    return _fit(spec, prepared, winner, curve)


def _curve(question: Question, winner: Winner, kept: KeptAnswers | None) -> Curve | None:
    answers = _answers(question, winner, kept) if kept else None
    if answers is not None:
        return curve_through(question, *answers)
    return None if winner.members else learn_curve(question, winner.candidate, winner.params)


def _answers(question: Question, winner: Winner, kept: KeptAnswers) -> tuple[Array, Array] | None:
    """Return the scores that a curve goes over and the probabilities of the positive class, of the validation rows."""
    found = answers_of(winner.parts, kept)
    if found is None:
        return None
    probabilities = np.concatenate(found).astype(np.float64)
    single = None if winner.members else kept.of(winner.trial)
    if single and single.margins:
        return np.concatenate(single.margins).astype(np.float64), probabilities
    later = max(question.classes) == question.classes[-1]
    return (probabilities if later else 1 - probabilities), probabilities


def _fit(spec: Declared, prepared: Prepared, winner: Winner, curve: Curve | None) -> Any:
    # As in a trial. On products of thousands of rows several threads mostly wait for one
    # another: a logistic regression on 7,885 rows took 1.1 s of CPU and 2.4 s on a busy machine in place of 0.1 and 0.3.
    with threadpool_limits(1, user_api="blas"):
        return _fit_whole(spec, prepared, winner, curve)


def _fit_whole(spec: Declared, prepared: Prepared, winner: Winner, curve: Curve | None) -> Any:
    experiment, rows = spec.experiment, prepared.splits.development
    positive = prepared.classes[-1] if prepared.classes else None
    if not winner.members and curve is None:
        (part,) = winner.parts
        pipeline = build_pipeline(spec.folder, experiment, part.candidate, part.params, rows)
        return fit(experiment, part.candidate, decided(pipeline, winner.threshold, positive), rows)
    fitted = {_name(part): _fit_part(spec, part, rows) for part in winner.parts}
    inputs, target = rows[list(experiment.data.features)], rows[experiment.data.target]
    model = (
        _joined(winner, fitted, inputs, target if prepared.classes else None)
        if winner.members
        else next(iter(fitted.values()))
    )
    if curve is not None:
        return curve.over(model, inputs, target, positive)
    if winner.threshold is None:
        return model
    thresholded = decided(FrozenEstimator(model), winner.threshold, positive).fit(inputs, target)
    # As if fitted whole: skops would store a fitted model again at every place that refers to it.
    thresholded.estimator, thresholded.estimator_ = clone(model), model
    return thresholded


def _fit_part(spec: Declared, part: EnsembleMember, rows: pd.DataFrame) -> Any:
    pipeline = build_pipeline(spec.folder, spec.experiment, part.candidate, part.params, rows)
    return fit(spec.experiment, part.candidate, pipeline, rows)


def _joined(winner: Winner, fitted: Mapping[str, Any], inputs: pd.DataFrame, labels: pd.Series | None) -> Any:
    weights = [part.weight for part in winner.members]
    return vote(fitted, weights, list(inputs.columns), None if labels is None else labels.to_numpy())


def _name(part: EnsembleMember) -> str:
    return f"{part.candidate}_{part.trial}"
