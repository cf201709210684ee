"""One suite for every executor, and what only worker processes can do."""

import pickle
import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from slipway.core.spec import Experiment
from slipway.search import Budget, Question, search
from slipway.search.executors import Limits, Processes, Serial
from slipway.search.proposals import Proposal

FEATURES = '''
import os, signal, time
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

def make(act="fit", C=1.0, nap=0.0):
    return make_pipeline(Acting(act=act, C=C, nap=nap))

class Acting(LogisticRegression):
    """Does what it is told before it fits."""

    def __init__(self, act="fit", C=1.0, nap=0.0):
        super().__init__(C=C)
        self.act, self.nap = act, nap

    def fit(self, X, y):
        if self.act == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        if self.act == "raise":
            raise ValueError("told to")
        if self.act == "grow":
            self.held = bytearray(600_000_000)
            time.sleep(30)
        time.sleep(self.nap)
        return super().fit(X, y)
'''


@pytest.fixture(scope="module")
def question(tmp_path_factory) -> Question:
    folder = tmp_path_factory.mktemp("experiment")
    (folder / "acting.py").write_text(FEATURES)
    experiment = Experiment.model_validate(
        {
            "name": "acting",
            "scope": {"goal": "to be tested"},
            "task": "binary",
            "data": {
                "source": {"csv": "none.csv"},
                "target": "y",
                "columns": {"x": {"type": "float"}, "y": {"type": "int"}},
            },
            "split": {"method": "random"},
            "search": {
                "metric": "roc_auc",
                "candidates": {"own": {"pipeline": "acting:make", "space": {"C": {"log_uniform": [0.01, 10]}}}},
            },
        }
    )
    rng = np.random.default_rng(0)
    rows = pd.DataFrame({"x": rng.normal(size=400)})
    rows["y"] = (rows["x"] + rng.normal(size=400) > 0).astype(int)
    return Question(folder, experiment, (0, 1), rows, [(np.arange(300), np.arange(300, 400))])


@pytest.fixture(params=["serial", "processes"])
def executor(request, question):
    with closing(Serial(question) if request.param == "serial" else Processes(question, workers=2)) as made:
        yield made


def acting(number: int, act: str = "fit", **params) -> Proposal:
    return Proposal(number, "own", {"act": act, **params})


def test_a_trial_comes_back_with_its_score_and_parameters(executor):
    executor.submit(acting(1, C=0.5))
    trial = executor.next_finished()
    assert (trial.number, trial.candidate, trial.params) == (1, "own", {"act": "fit", "C": 0.5})
    assert trial.score is not None and 0.5 < trial.score <= 1
    assert trial.score == trial.metrics["roc_auc"]


def test_a_trial_that_raises_comes_back_as_failed(executor):
    executor.submit(acting(1, "raise"))
    trial = executor.next_finished()
    assert trial.failed and "told to" in trial.error


def test_a_whole_search_gives_the_same_fields_everywhere(executor, question):
    seen = []
    trials = search(question.experiment, executor, Budget(6, 60), seen.append)
    assert sorted(trial.number for trial in trials) == [1, 2, 3, 4, 5, 6] == sorted(trial.number for trial in seen)
    assert all(trial.metrics and trial.duration_s > 0 and trial.started_ms > 0 for trial in trials)


def test_scores_do_not_depend_on_where_a_trial_ran(question):
    scores = []
    for make in (Serial, Processes):
        with closing(make(question)) as executor:
            executor.submit(acting(1, C=0.3))
            scores.append(executor.next_finished().metrics)
    assert scores[0] == scores[1]


def test_worker_processes_run_at_the_same_time(question):
    with closing(Processes(question, workers=2)) as executor:
        executor.submit(acting(1, nap=1.0))
        executor.submit(acting(2, nap=1.0))
        first, second = executor.next_finished(), executor.next_finished()
    assert abs(first.started_ms - second.started_ms) < 900  # the second did not wait for the first


def test_a_worker_that_dies_is_a_failed_trial_and_is_replaced(question):
    with closing(Processes(question, workers=1)) as executor:
        executor.submit(acting(1, "die"))
        trial = executor.next_finished()
        assert trial.failed and "worker process ended" in trial.error
        executor.submit(acting(2))
        assert not executor.next_finished().failed


def test_a_trial_that_takes_too_long_is_stopped(question):
    with closing(Processes(question, Limits(timeout_s=1.5), workers=1)) as executor:
        executor.submit(acting(1, nap=60.0))
        trial = executor.next_finished()
        assert trial.failed and "trial_timeout_s" in trial.error and trial.duration_s < 30
        executor.submit(acting(2))
        assert not executor.next_finished().failed


def test_a_trial_that_grows_too_large_is_stopped(question):
    with closing(Processes(question, Limits(memory_mb=500), workers=1)) as executor:
        executor.submit(acting(1, "grow"))
        trial = executor.next_finished()
        assert trial.failed and "trial_memory_mb" in trial.error


PARENT = """
import pickle, sys, time
from pathlib import Path
from slipway.search.executors import Processes
from slipway.search.proposals import Proposal

if __name__ == "__main__":
    folder = Path(sys.argv[1])
    executor = Processes(pickle.loads((folder / "question").read_bytes()), workers=2)
    for number in (1, 2):
        executor.submit(Proposal(number, "own", {"act": "fit", "nap": 60.0}))
    (folder / "pids.new").write_text(" ".join(str(worker.process.pid) for worker in executor._workers))
    (folder / "pids.new").rename(folder / "pids")
    time.sleep(60)
"""


@pytest.mark.slow
def test_workers_go_when_their_parent_is_killed(question, tmp_path):
    (tmp_path / "question").write_bytes(pickle.dumps(question))
    (tmp_path / "parent.py").write_text(PARENT)
    parent = subprocess.Popen([sys.executable, str(tmp_path / "parent.py"), str(tmp_path)])
    assert holds_soon(lambda: (tmp_path / "pids").exists() or parent.poll() is not None)
    workers = [int(pid) for pid in (tmp_path / "pids").read_text().split()]
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    assert holds_soon(lambda: not any(Path(f"/proc/{pid}").exists() for pid in workers))


def holds_soon(condition, within_s=60.0) -> bool:
    deadline = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
