"""The winner of a search: how it is fitted, and what its run keeps of it so that it can be fitted again."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from slipway.core.spec import Experiment
from slipway.core.trials import Trial
from slipway.search import build_pipeline, decided
from slipway.workflows.preparation import Prepared
from slipway.workflows.project import Declared

WINNER = "slipway.winner"


@dataclass(frozen=True)
class Winner:
    """All that a model follows from, beside the declaration and the data.

    threshold: of the positive class's probability, where costs are declared; chosen on validation rows.
    """

    trial: int
    candidate: str
    params: Mapping[str, Any]
    threshold: float | None = None

    def as_tag(self) -> dict[str, str]:
        """The tag that a run keeps; floats come back from it as they were."""
        return {WINNER: json.dumps(vars(self) | {"params": dict(self.params)})}


def winner_of(trial: Trial, experiment: Experiment) -> Winner:
    """Return the winner that a trial is."""
    threshold = trial.metrics.get("threshold") if experiment.scope.costs else None
    return Winner(trial.number, trial.candidate, trial.params, threshold)


def winner_from(tags: Mapping[str, str]) -> Winner:
    """Read the winner from the tags of a run. Raises KeyError for a run that Slipway 0.1 made, which kept none."""
    return Winner(**json.loads(tags[WINNER]))


def fit_winner(spec: Declared, prepared: Prepared, winner: Winner) -> Any:
    """Fit the winner on all development rows and return the model, which decides by the threshold where there is one."""
    pipeline = build_pipeline(spec.folder, spec.experiment, winner.candidate, winner.params)
    model = decided(pipeline, winner.threshold, prepared.classes[-1] if prepared.classes else None)
    rows = prepared.splits.development
    return model.fit(rows[list(spec.experiment.inputs_of(winner.candidate))], rows[spec.experiment.data.target])
