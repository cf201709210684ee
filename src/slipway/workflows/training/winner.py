"""The winner of a search: how it is fitted, and the record of it that lets it be fitted again."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from slipway.core.trials import Trial
from slipway.search import Curve, build_pipeline, decided, fit, learn_curve
from slipway.workflows.project import Declared
from slipway.workflows.training.prepare import Prepared, question_of

WINNER = "slipway.winner"


@dataclass(frozen=True)
class Winner:
    """The choices that make a model, beside the declaration and the data.

    Attributes:
        trial: the number of the trial.
        candidate: the candidate's name.
        params: the trial's point of the search space.
        threshold: the probability from which the positive class is answered, chosen on validation rows; None without costs.
        calibrated: whether the probabilities go through a curve that was learned on validation rows.
    """

    trial: int
    candidate: str
    params: Mapping[str, Any]
    threshold: float | None = None
    calibrated: bool = False

    def as_tag(self) -> dict[str, str]:
        """Return the tag that a run keeps; `winner_from` reads the very same floats back."""
        return {WINNER: json.dumps(vars(self) | {"params": dict(self.params)})}


def winner_from(tags: Mapping[str, str]) -> Winner:
    """Read the winner from the tags of a run. Raises KeyError for a run of Slipway 0.1, which kept no winner."""
    return Winner(**json.loads(tags[WINNER]))


def fit_chosen(spec: Declared, prepared: Prepared, trial: Trial) -> tuple[Any, Winner]:
    """Fit the chosen trial on all development rows; return the model and its Winner.

    Where costs are declared, the probabilities are calibrated, if that makes them better, and the threshold is chosen anew on
    the calibrated ones. Both are learned on validation rows, as answered by a pipeline that saw the training rows alone.
    """
    threshold = trial.metrics.get("threshold") if spec.experiment.scope.costs else None
    winner = Winner(trial.number, trial.candidate, trial.params, threshold)
    curve = _curve(spec, prepared, winner) if threshold is not None else None
    if curve is not None:
        winner = replace(winner, threshold=curve.threshold, calibrated=True)
    return _fit(spec, prepared, winner, curve), winner


def fit_winner(spec: Declared, prepared: Prepared, winner: Winner) -> Any:
    """Fit a winner once more on all development rows and return the model, with its threshold and curve, if any."""
    curve = _curve(spec, prepared, winner) if winner.calibrated else None
    return _fit(spec, prepared, winner, curve)


def _curve(spec: Declared, prepared: Prepared, winner: Winner) -> Curve | None:
    return learn_curve(question_of(spec, prepared), winner.candidate, winner.params)


def _fit(spec: Declared, prepared: Prepared, winner: Winner, curve: Curve | None) -> Any:
    development = prepared.splits.development
    pipeline = build_pipeline(spec.folder, spec.experiment, winner.candidate, winner.params, development)
    positive = prepared.classes[-1] if prepared.classes else None
    if curve is None:
        pipeline = decided(pipeline, winner.threshold, positive)
    fitted = fit(spec.experiment, winner.candidate, pipeline, development)
    if curve is None:
        return fitted
    rows = development[list(spec.experiment.inputs_of(winner.candidate))]
    return curve.over(fitted, rows, development[spec.experiment.data.target], positive)
