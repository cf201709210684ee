"""What tests of more than one package share."""

import fcntl
import subprocess
import sys
from pathlib import Path

import pytest

from slipway.processes import child_environment

_MIGRATE = """
import sys
from mlflow.store.model_registry.sqlalchemy_store import SqlAlchemyStore as Registry
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore as Tracking
Tracking(sys.argv[1], "mlflow-artifacts:/")
Registry(sys.argv[1])
"""


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "slow: starts an MLflow server or trains for more than a few seconds")


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
