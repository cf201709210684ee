"""Slipway's own search, wired by its own workflow; only what the proposer answers is put in its mouth."""

import os
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from unittest import mock

import numpy as np
import pandas as pd

from searches.task import Task
from searches.waiting import Waiting
from slipway.core.spec import Search
from slipway.core.trials import Trial
from slipway.search import Question
from slipway.search.proposals import Proposal, Proposer
from slipway.tracking.client import connect
from slipway.tracking.runs import experiment_id, open_run
from slipway.tracking.writer import TrialWriter
from slipway.workflows.training.resume import Past
from slipway.workflows.training.search_run import run_search


def search(task: Task, waiting: Waiting, executor: str) -> dict[str, Any]:
    """Time a search from the opening of its run to its end, and with it the start of the workers and the leaderboard."""
    question = _with_executor(task, executor)
    client = connect(os.environ["MLFLOW_TRACKING_URI"])
    experiment = experiment_id(client, os.environ["MLFLOW_EXPERIMENT_NAME"])
    waiting.watch(TrialWriter, "put", "__exit__")
    with mock.patch("slipway.search.study.Proposer", _fixed(task)):
        waiting.by_thread.clear()
        clock, began_s = time.perf_counter(), time.time()
        with open_run(client, experiment, "search", {"slipway.kind": "search"}) as run_id:
            trials = run_search(client, experiment, run_id, question, Past()).trials
        wall_s, calls = time.perf_counter() - clock, dict(waiting.by_thread["MainThread"])
    busy_s = float(client.get_run(run_id).data.tags["slipway.tracking_s"])
    trials = sorted(trials, key=lambda trial: trial.number)
    return {
        "wall_s": wall_s,
        "scores": [trial.score for trial in trials],
        "tracking_s": sum(calls.values()),
        "details": {
            "writer_busy_s": busy_s,
            **_shape(trials, began_s, wall_s),
            **{f"waited in {call}": seconds for call, seconds in calls.items()},
        },
    }


def _fixed(task: Task) -> type[Proposer]:
    class Fixed(Proposer):
        """Asks hyperopt, so that its time is spent, and answers with the fixed sets instead of what it says."""

        def ask(self) -> Proposal:
            proposal = super().ask()
            return replace(proposal, params=task.sets[proposal.number - 1])

    return Fixed


def _with_executor(task: Task, executor: str) -> Question:
    search = Search.model_validate({**dict(task.spec.experiment.search), "executor": executor})
    experiment = task.spec.experiment.model_copy(update={"search": search})
    first = np.arange(len(task.train))
    fold = (first, len(first) + np.arange(len(task.validation)))
    return Question(task.spec.folder, experiment, task.classes, pd.concat([task.train, task.validation]), (fold,))


def _shape(trials: Sequence[Trial], began_s: float, wall_s: float) -> dict[str, float]:
    """Where the time went: until the first trial began, in trials, and while only the last of them ran."""
    ends = sorted(trial.started_ms / 1000 + trial.duration_s for trial in trials)
    return {
        "before_first_trial_s": min(trial.started_ms for trial in trials) / 1000 - began_s,
        "in_trials_s": sum(trial.duration_s for trial in trials),
        "last_trial_alone_s": ends[-1] - ends[-2] if len(ends) > 1 else 0.0,
        "after_last_trial_s": began_s + wall_s - ends[-1],
    }
