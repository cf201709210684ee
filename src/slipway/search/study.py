"""The study: the loop in which hyperopt proposes trials and an executor fits and scores them."""

import json
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

from slipway.core.spec import Experiment
from slipway.core.statistics.metrics import METRICS, Metric
from slipway.core.trials import Trial, ranked
from slipway.errors import SearchFailed
from slipway.search.ensemble import KeptAnswers
from slipway.search.executors import Executor
from slipway.search.halving import Rungs
from slipway.search.proposals import Proposal, Proposer

# After so many repeated proposals in a row the space is taken for exhausted.
_MOST_REPEATS = 50


@dataclass(frozen=True)
class Budget:
    """The limits of a search.

    Attributes:
        trials: The number of trials in all, with the trials of an interrupted search.
        timeout_s: The seconds after which no trial starts.
        patience: The search ends after so many trials in a row without a better score; None for no such end.
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
    kept: KeptAnswers | None = None,
) -> list[Trial]:
    """Search until the budget is used and return every trial, the past ones first.

    A failed trial does not stop the search, and no parameters are tried twice. One executor slot and one seed give the same
    trials each time. Raises SearchFailed when no trial finished.

    Args:
        experiment: The experiment.
        executor: The executor that runs the trials.
        budget: The limits of the search.
        on_trial: Called with each new trial as it ends, failed ones included.
        past: Finished trials of the same study from before; they count towards the budget.
        kept: Takes the answers of each new trial to the validation rows; the trials come back without them.
    """
    kept = kept or KeptAnswers(experiment.search.metric, most_bytes=0)
    study = _Study(experiment, budget, past)
    out = _submit(study, executor, 0)
    while out:
        trial = study.take_in(kept.take(executor.next_finished()))
        # The free slot gets its next trial before `on_trial`, so that no worker waits for the tracking server.
        out = _submit(study, executor, out - 1)
        if trial:
            on_trial(trial)
    if not any(trial.complete for trial in study.trials):
        raise SearchFailed(study.all_failed())
    return study.trials


def _submit(study: "_Study", executor: Executor, out: int) -> int:
    """Fill the executor's free slots and return how many trials are running."""
    while out < executor.capacity and (proposal := study.propose()):
        executor.submit(proposal)
        out += 1
    return out


def best_of(trials: Sequence[Trial], metric: str) -> Trial:
    """Return the finished trial with the best score; among equal scores the earlier trial."""
    return ranked(trials, metric)[0]


class _Study:
    """The state of a search: the trials so far, the running trials, and the rest of the budget."""

    def __init__(self, experiment: Experiment, budget: Budget, past: Sequence[Trial]) -> None:
        self.trials: list[Trial] = []
        self._past = len(past)
        self._exhausted = False
        taken = {trial.number for trial in past}  # a trial lost with its process leaves its number free
        self._numbers = (number for number in count(1) if number not in taken)
        self._asked: dict[int, int] = {}  # number of a running trial → the proposer's number of its point
        self._metric: Metric = METRICS[experiment.search.metric]
        self._budget, self._started = budget, time.monotonic()
        self._proposer = Proposer(experiment.search.candidates, experiment.search.seed)
        self._losses: dict[str, float | None] = {}
        self._since_better = 0
        self._rungs = Rungs(experiment.search.halving)
        self._going_on: deque[Proposal] = deque()
        self._earlier: dict[int, Trial] = {}  # the results so far of trials that go on to more rows
        for trial in sorted(past, key=lambda trial: trial.number):
            self._proposer.remember(trial.candidate, trial.params, self._loss(trial))
            for share, score in (*trial.rungs, (trial.share, trial.score)):
                if score is not None and not trial.failed:
                    self._rungs.note(share, self._signed(score))
            self._note(trial)

    def propose(self) -> Proposal | None:
        """Return a trial that goes on, or a new one; None when the budget is used or the space has nothing new."""
        if self._going_on:
            return self._going_on.popleft()
        if self._is_over():
            return None
        for _ in range(_MOST_REPEATS):
            proposal = self._proposer.ask()
            key = _key(proposal.candidate, proposal.params)
            if key not in self._losses:
                self._losses[key] = None
                number = next(self._numbers)
                self._asked[number] = proposal.number
                return replace(proposal, number=number, share=self._rungs.shares[0])
            self._proposer.tell(proposal.number, self._losses[key])
        self._exhausted = True
        return None

    def all_failed(self) -> str:
        """Return a sentence on a search without a usable model: how many trials failed, of how many, and why."""
        if not self.trials:
            return "no trial was started within the budget; give search.timeout_s more seconds"
        failed = [trial for trial in self.trials if trial.failed]
        errors = dict.fromkeys(f"{trial.candidate}: {trial.error}" for trial in failed)
        return f"{self._how_many(len(failed))}:\n" + "\n".join(f"  {error}" for error in list(errors)[:5])

    def _how_many(self, failed: int) -> str:
        tried, asked_for = len(self.trials), self._budget.trials
        if failed < tried:
            let_go = f"{tried - failed} were stopped early on fewer rows"
            outcome = f"no trial came to the end: {failed} of {tried} trials failed, {let_go}"
        else:
            outcome = "the only trial failed" if tried == 1 else f"all {tried} trials failed"
        notes = [f"{self._past} of them in the search that is resumed"] if self._past else []
        if tried < asked_for:
            why = "the space has nothing else to try" if self._exhausted else "the time, search.timeout_s, was over"
            notes.append(f"{asked_for} were asked for; {why}")
        return outcome + (f" ({'; '.join(notes)})" if notes else "")

    def take_in(self, trial: Trial) -> Trial | None:
        """Record a result; return the trial when it is over, None when it goes on with more rows."""
        trial = self._with_earlier(trial)
        loss = self._loss(trial)
        if loss is not None:
            self._rungs.note(trial.share, loss)
            if share := self._rungs.next_share(trial.share, loss):
                self._earlier[trial.number] = trial
                self._going_on.append(Proposal(trial.number, trial.candidate, trial.params, share))
                return None
        self._proposer.tell(self._asked.pop(trial.number), loss)
        self._note(trial)
        return trial

    def _with_earlier(self, trial: Trial) -> Trial:
        before = self._earlier.pop(trial.number, None)
        if before is None or before.score is None:
            return trial
        return replace(
            trial,
            rungs=(*before.rungs, (before.share, before.score)),
            duration_s=before.duration_s + trial.duration_s,
            started_ms=before.started_ms,
            warnings=tuple(dict.fromkeys((*before.warnings, *trial.warnings))),
        )

    def _note(self, trial: Trial) -> None:
        self._losses[_key(trial.candidate, trial.params)] = self._loss(trial)
        better = trial.complete and (not self._finished() or best_of([*self.trials, trial], self._metric.name) is trial)
        self._since_better = 0 if better else self._since_better + 1
        self.trials.append(trial)

    def _finished(self) -> bool:
        return any(trial.complete for trial in self.trials)

    def _is_over(self) -> bool:
        budget = self._budget
        if len(self.trials) + len(self._asked) >= budget.trials or time.monotonic() - self._started >= budget.timeout_s:
            return True
        return budget.patience is not None and self._finished() and self._since_better >= budget.patience

    def _loss(self, trial: Trial) -> float | None:
        return None if trial.score is None or trial.failed else self._signed(trial.score)

    def _signed(self, score: float) -> float:
        return -score if self._metric.greater_is_better else score


def _key(candidate: str, params: Mapping[str, Any]) -> str:
    return json.dumps([candidate, dict(params)], sort_keys=True, default=repr)
