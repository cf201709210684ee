"""The search itself: hyperopt proposes, an executor fits and scores, and the study remembers."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

from slipway.core.metrics import METRICS, Metric
from slipway.core.spec import Experiment
from slipway.core.trials import Trial, ranked
from slipway.errors import SearchFailed
from slipway.search.executors import Executor
from slipway.search.proposals import Proposal, Proposer

# So many proposals in a row that were tried before mean that the space has nothing new to give.
_MOST_REPEATS = 50


@dataclass(frozen=True)
class Budget:
    """When a search ends.

    trials: in all, those of an interrupted search included. timeout_s: no trial starts after so long.
    patience: so many trials in a row without a better score; None = no such end.
    """

    trials: int
    timeout_s: float
    patience: int | None = None


def search(
    experiment: Experiment,
    executor: Executor,
    budget: Budget,
    on_trial: Callable[[Trial], None],
    past: Sequence[Trial] = (),
) -> list[Trial]:
    """Search until the budget is used and return every trial, those of the past first.

    on_trial sees each new trial as it ends, failed ones included; a failed trial does not stop the search. Parameters that were
    tried are not tried again. One executor slot and one seed give the same trials each time.
    past: trials of the same study that were finished before; they count.
    Raises SearchFailed when not one trial finished.
    """
    study = _Study(experiment, budget, past)
    while True:
        while study.running < executor.capacity and (proposal := study.propose()):
            executor.submit(proposal)
        if not study.running:
            break
        trial = executor.next_finished()
        study.take_in(trial)
        # The free slot gets its next trial before anything is written down: nobody waits for the tracking server.
        if study.running < executor.capacity and (proposal := study.propose()):
            executor.submit(proposal)
        on_trial(trial)
    if all(trial.failed for trial in study.trials):
        raise SearchFailed(_all_failed(study.trials))
    return study.trials


def best_of(trials: Sequence[Trial], metric: str) -> Trial:
    """Return the finished trial with the best score; of equals, the earlier."""
    return ranked(trials, metric)[0]


class _Study:
    """What was tried, what is out, and whether there is more to try."""

    def __init__(self, experiment: Experiment, budget: Budget, past: Sequence[Trial]) -> None:
        self.trials: list[Trial] = []
        taken = {trial.number for trial in past}  # a trial that was lost with its process leaves its number free
        self._numbers = (number for number in count(1) if number not in taken)
        self._asked: dict[int, int] = {}  # number of a trial that is out → the proposer's number of it
        self._metric: Metric = METRICS[experiment.search.metric]
        self._budget, self._started = budget, time.monotonic()
        self._proposer = Proposer(experiment.search.candidates, experiment.search.seed)
        self._losses: dict[str, float | None] = {}
        self._since_better = 0
        for trial in sorted(past, key=lambda trial: trial.number):
            self._proposer.remember(trial.candidate, trial.params, self._loss(trial))
            self._note(trial)

    @property
    def running(self) -> int:
        return len(self._asked)

    def propose(self) -> Proposal | None:
        """Return something new to try; None when the budget is used or the space has nothing new to give."""
        if self._is_over():
            return None
        for _ in range(_MOST_REPEATS):
            proposal = self._proposer.ask()
            key = _key(proposal.candidate, proposal.params)
            if key not in self._losses:
                self._losses[key] = None
                number = next(self._numbers)
                self._asked[number] = proposal.number
                return replace(proposal, number=number)
            self._proposer.tell(proposal.number, self._losses[key])
        return None

    def take_in(self, trial: Trial) -> None:
        self._proposer.tell(self._asked.pop(trial.number), self._loss(trial))
        self._note(trial)

    def _note(self, trial: Trial) -> None:
        self._losses[_key(trial.candidate, trial.params)] = self._loss(trial)
        better = not trial.failed and (
            not self._finished() or best_of([*self.trials, trial], self._metric.name) is trial
        )
        self._since_better = 0 if better else self._since_better + 1
        self.trials.append(trial)

    def _finished(self) -> bool:
        return any(not trial.failed for trial in self.trials)

    def _is_over(self) -> bool:
        budget = self._budget
        if len(self.trials) + self.running >= budget.trials or time.monotonic() - self._started >= budget.timeout_s:
            return True
        return budget.patience is not None and self._finished() and self._since_better >= budget.patience

    def _loss(self, trial: Trial) -> float | None:
        if trial.score is None or trial.failed:
            return None
        return -trial.score if self._metric.greater_is_better else trial.score


def _key(candidate: str, params: Mapping[str, Any]) -> str:
    return json.dumps([candidate, dict(params)], sort_keys=True, default=repr)


def _all_failed(trials: Sequence[Trial]) -> str:
    if not trials:
        return "no trial was started within the budget; give search.timeout_s more seconds"
    errors = dict.fromkeys(f"{trial.candidate}: {trial.error}" for trial in trials)
    return f"all {len(trials)} trials failed:\n" + "\n".join(f"  {error}" for error in list(errors)[:5])
