"""One suite for every executor, and what only worker processes and Spark can do."""

import json
import pickle
import shutil
import signal
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from slipway.core.spec import Experiment
from slipway.errors import UsageError
from slipway.processes import child_environment
from slipway.search import Budget, Question, leaderboard, search
from slipway.search.executors import Limits, Processes, Serial, make_executor
from slipway.search.proposals import Proposal
from slipway.spark import check_spark, spark_context

pytestmark = pytest.mark.slow  # the file, more than each of its tests

FEATURES = '''
import os, signal, time
import psutil
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

def make(act="fit", C=1.0, nap=0.0, diary=""):
    return make_pipeline(Acting(act=act, C=C, nap=nap, diary=diary))

class Acting(LogisticRegression):
    """Does what it is told before it fits."""

    def __init__(self, act="fit", C=1.0, nap=0.0, diary=""):
        super().__init__(C=C)
        self.act, self.nap, self.diary = act, nap, diary

    def fit(self, X, y):
        if self.act == "die":
            if self.diary:
                with open(self.diary, "a") as diary:
                    print("died", file=diary)
            os.kill(os.getpid(), signal.SIGKILL)
        if self.act == "lose the machine":  # a worker's parent is its daemon, whose parent is the executor
            os.kill(psutil.Process(os.getppid()).ppid(), signal.SIGKILL)
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


@pytest.fixture(scope="module")
def spark():
    """One Spark for the module, which tries a lost task again as many do: the executor has to cope with it."""
    try:
        check_spark()
    except UsageError as missing:
        pytest.skip(str(missing))
    from slipway.search.executors._spark import SETTINGS

    with spark_context("local[2,4]", "tests of the executors", SETTINGS) as context:
        yield context


@pytest.fixture(params=["serial", "processes", pytest.param("spark", marks=pytest.mark.slow)])
def executor(request, question):
    if request.param == "spark":
        request.getfixturevalue("spark")
    makers = {"serial": Serial, "processes": lambda q: Processes(q, workers=2), "spark": on_spark}
    with closing(makers[request.param](question)) as made:
        yield made


def on_spark(question: Question, limits: Limits | None = None):
    from slipway.search.executors._spark import Spark

    return Spark(question, limits)


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


def one_at_a_time(question: Question, executor: str, master: str | None = None) -> Question:
    search = question.experiment.search.model_copy(update={"executor": executor, "workers": 1, "master": master})
    return replace(question, experiment=question.experiment.model_copy(update={"search": search}))


@pytest.mark.slow
def test_spark_gives_the_very_leaderboard_of_serial_where_one_trial_is_out_at_a_time(question, spark):
    tables = []
    for name in ("serial", "spark"):
        asked = one_at_a_time(question, name)
        with closing(make_executor(asked)) as executor:
            trials = search(asked.experiment, executor, Budget(4, 120), lambda trial: None)
        tables.append(leaderboard(trials, "roc_auc").drop(columns=["duration_s", "predict_ms"]))
    pd.testing.assert_frame_equal(*tables)


@pytest.mark.slow
def test_a_worker_that_dies_on_spark_is_a_failed_trial_that_is_not_tried_again(question, spark, tmp_path):
    with closing(on_spark(question)) as executor:
        executor.submit(acting(1, "die", diary=str(tmp_path / "diary")))
        trial = executor.next_finished()
        assert trial.failed and "worker process ended" in trial.error
        assert (tmp_path / "diary").read_text() == "died\n"
        executor.submit(acting(2))
        assert not executor.next_finished().failed


@pytest.mark.slow
def test_a_trial_that_takes_too_long_on_spark_is_stopped_and_its_core_given_to_the_next(question, spark):
    with closing(on_spark(question, Limits(timeout_s=5))) as executor:
        for number in (1, 2):  # as many as there are cores
            executor.submit(acting(number, nap=60.0))
        stopped = [executor.next_finished(), executor.next_finished()]
        assert {trial.number for trial in stopped} == {1, 2}
        assert all(trial.failed and "trial_timeout_s" in trial.error and trial.duration_s < 30 for trial in stopped)
        executor.submit(acting(3))
        assert not executor.next_finished().failed


@pytest.mark.slow
def test_a_session_that_was_there_outlives_a_search_and_what_the_search_left_running_does_not(question, spark):
    with closing(on_spark(question)) as executor:
        executor.submit(acting(1, nap=60.0))
        assert holds_soon(lambda: spark.statusTracker().getActiveJobsIds())
    assert holds_soon(lambda: not spark.statusTracker().getActiveJobsIds())
    assert spark.parallelize([1, 2]).sum() == 3


@pytest.mark.slow
def test_another_master_than_that_of_the_session_is_refused(spark):
    refused = pytest.raises(UsageError, match=r"spark://far:7077 was asked for, .* session on local\[2,4\];")
    with refused, spark_context("spark://far:7077", "elsewhere"):
        pass


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


@pytest.mark.slow
def test_a_trial_that_takes_too_long_is_stopped(question):
    with closing(Processes(question, Limits(timeout_s=1.5), workers=1)) as executor:
        executor.submit(acting(1, nap=60.0))
        trial = executor.next_finished()
        assert trial.failed and "trial_timeout_s" in trial.error and trial.duration_s < 30
        executor.submit(acting(2))
        assert not executor.next_finished().failed


@pytest.mark.slow
def test_a_trial_that_grows_too_large_is_stopped(question):
    with closing(Processes(question, Limits(memory_mb=500), workers=1)) as executor:
        executor.submit(acting(1, "grow"))
        trial = executor.next_finished()
        assert trial.failed and "trial_memory_mb" in trial.error


CLUSTER = """
import json, pickle, shutil, sys
from contextlib import closing
from pathlib import Path
from slipway.search.executors import make_executor
from slipway.search.proposals import Proposal

question = pickle.loads(Path(sys.argv[1]).read_bytes())
with closing(make_executor(question)) as executor:
    shutil.rmtree(question.folder)
    for number, act in enumerate(sys.argv[2:], start=1):
        executor.submit(Proposal(number, "own", {"act": act}))
        trial = executor.next_finished()
        print(json.dumps([trial.number, trial.score, trial.error]), flush=True)
"""


@pytest.mark.slow
def test_a_cluster_gets_the_rows_and_the_code_and_may_lose_a_worker_or_a_machine(question, spark, tmp_path):
    """Two executors of one core: processes of their own, which have never seen the experiment's folder."""
    folder = shutil.copytree(question.folder, tmp_path / "experiment")
    asked = one_at_a_time(replace(question, folder=folder), "spark", master="local-cluster[2,1,1024]")
    (tmp_path / "question").write_bytes(pickle.dumps(asked))
    (tmp_path / "cluster.py").write_text(CLUSTER)
    acts = ["fit", "die", "fit", "lose the machine", "fit"]
    command = [sys.executable, str(tmp_path / "cluster.py"), str(tmp_path / "question"), *acts]
    environment = child_environment({"SPARK_HOME": str(spark_home(tmp_path / "spark")), "SPARK_LOCAL_IP": "127.0.0.1"})
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=300)
    trials = [json.loads(line) for line in done.stdout.splitlines()]
    assert [number for number, _, _ in trials] == [1, 2, 3, 4, 5], done.stderr
    (_, first, _), (_, _, died), (_, third, _), (_, _, lost), (_, fifth, _) = trials
    assert first is not None and first == third == fifth
    assert "worker process ended" in died and "137" in lost
    assert done.stderr == ""


def spark_home(folder: Path) -> Path:
    """The installed Spark under another name: its machines write what they do into its folder."""
    folder.mkdir()
    for path in Path(find_spec("pyspark").origin).parent.iterdir():
        (folder / path.name).symlink_to(path)
    return folder


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
