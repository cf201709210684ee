"""The five lines that a reviewer reads first in MLflow: the search, the winner, its baselines, and the doubts."""

from collections.abc import Sequence

from slipway.core.choice import contenders
from slipway.core.spec import Experiment
from slipway.core.trials import Trial
from slipway.types import Interval
from slipway.workflows.training.evaluate import Evaluated

_DOUBTS = 3


def note(
    experiment: Experiment, evaluated: Evaluated, trials: Sequence[Trial], winner: Trial, caveats: Sequence[str]
) -> str:
    """Return the description of a run, in Markdown."""
    metric = evaluated.metric
    lines = [
        f"**{experiment.scope.goal}**",
        "",
        f"- searched: {_searched(experiment, trials)}",
        f"- won: {_won(experiment, trials, winner)}",
        f"- on the test rows: {metric} {evaluated.intervals[metric]}, {evaluated.rows:,} rows; {_over(evaluated)}",
        f"- doubt: {' '.join(caveats[:_DOUBTS])}",
        "- all of it is among the artifacts: `model_card.html`",
    ]
    return "\n".join(lines)


def _searched(experiment: Experiment, trials: Sequence[Trial]) -> str:
    failed = sum(trial.failed for trial in trials)
    early = sum(not trial.failed and not trial.complete for trial in trials)
    folds = f", each on {experiment.split.folds} folds" if experiment.split.folds else ""
    let_go = f", {early} let go early" if early else ""
    return f"{len(trials)} trials ({failed} failed{let_go}) of {', '.join(experiment.search.candidates)}{folds}"


def _won(experiment: Experiment, trials: Sequence[Trial], winner: Trial) -> str:
    metric, prefer = experiment.search.metric, experiment.search.prefer
    equals = len(contenders(trials, metric)) - 1
    if winner.members:
        return f"{winner.title}, validation {metric} {winner.score:.4f}: better than each trial alone beyond the noise"
    others = f"{equals} other trials are" if equals > 1 else "one other trial is" if equals else "no other trial is"
    preferred = f", the {prefer} of them" if prefer != "best" and equals else ""
    return f"{winner.title}, validation {metric} {winner.score:.4f}; {others} within the noise of the best{preferred}"


def _over(evaluated: Evaluated) -> str:
    if not evaluated.over:
        return f"no baseline can be compared by {evaluated.metric}"
    return "; ".join(_against(name, difference) for name, difference in evaluated.over.items())


def _against(name: str, difference: Interval) -> str:
    words = f"{difference.value:+.4f} ({difference.low:+.4f} to {difference.high:+.4f})"
    return f"{words} over the baseline {name}" if difference.low > 0 else f"does not beat the baseline {name}: {words}"
