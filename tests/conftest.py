"""What tests of more than one package share."""

import copy
import fcntl
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from slipway.core.spec import Experiment
from slipway.processes import child_environment

_MIGRATE = """
import sys
from mlflow.store.model_registry.sqlalchemy_store import SqlAlchemyStore as Registry
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore as Tracking
Tracking(sys.argv[1], "mlflow-artifacts:/")
Registry(sys.argv[1])
"""


@pytest.fixture(scope="session")
def migrated_database(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """Return an empty SQLite database with MLflow's tables, one for all workers: copy it, migrating takes seconds."""
    base = tmp_path_factory.getbasetemp()
    folder = base if worker_id == "master" else base.parent
    ready = folder / "migrated.db"
    with (folder / "migrated.lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not ready.exists():
            draft = folder / "migrating.db"
            command = [sys.executable, "-c", _MIGRATE, f"sqlite:///{draft}"]
            subprocess.run(command, env=child_environment({}), check=True, capture_output=True)
            draft.rename(ready)
    return ready


# The same examples in every run, so that a failure is of the change and not of the day; machines are slow and shared.
hypothesis.settings.register_profile("slipway", deadline=None, derandomize=True, max_examples=15)
hypothesis.settings.load_profile("slipway")


@pytest.fixture(scope="session")
def declare() -> Callable[..., Experiment]:
    """Return a function that makes a small valid experiment; sections given by name replace those it has.

    A binary task of one number and one category, split at random, searched over a logistic regression.
    """

    def make(**sections: Any) -> Experiment:
        return Experiment.model_validate({**copy.deepcopy(SMALL), **sections})

    return make


SMALL = {
    "name": "small",
    "scope": {"goal": "Say which rows are late."},
    "task": "binary",
    "data": {
        "source": {"csv": "rows.csv"},
        "target": "late",
        "columns": {
            "late": {"type": "int"},
            "minutes": {"type": "float", "known": "the timetable"},
            "port": {"type": "category", "known": "the timetable"},
        },
    },
    "split": {"method": "random"},
    "search": {
        "metric": "roc_auc",
        "candidates": {
            "logistic": {
                "estimator": "sklearn.linear_model.LogisticRegression",
                "space": {"C": {"log_uniform": [0.01, 10]}},
            }
        },
    },
}
