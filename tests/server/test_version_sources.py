"""Runs and the versions made by them, in two databases."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from mlflow.entities import LoggedModelParameter, Param, RunStatus
from mlflow.entities.model_registry import ModelVersionTag
from mlflow.exceptions import MlflowException
from mlflow.store.model_registry.dbmodels.models import SqlModelVersion
from mlflow.store.model_registry.sqlalchemy_store import SqlAlchemyStore

from slipway.registry.trust import DIGEST
from slipway.server.tracking_guard import GuardedTracking

pytestmark = pytest.mark.slow  # the file, more than each of its tests


@pytest.fixture
def registry(tmp_path: Path, migrated_database: Path) -> SqlAlchemyStore:
    shutil.copy(migrated_database, tmp_path / "registry.db")
    registry = SqlAlchemyStore(f"sqlite:///{tmp_path / 'registry.db'}")
    registry.create_registered_model("m")
    return registry


@pytest.fixture
def runs(tmp_path: Path, migrated_database: Path, registry: SqlAlchemyStore) -> GuardedTracking:
    shutil.copy(migrated_database, tmp_path / "runs.db")
    return GuardedTracking(f"sqlite:///{tmp_path / 'runs.db'}", str(tmp_path / "artifacts"), lambda: registry)


def refused(of: str, operation: Callable[..., Any], *given: Any) -> None:
    with pytest.raises(MlflowException, match=f"m version 1 was made by this {of}"):
        operation(*given)


def test_a_run_stays_as_it_was_registered_in_another_database(runs: GuardedTracking, registry: SqlAlchemyStore) -> None:
    experiment = runs.create_experiment("search")
    run = runs.create_run(experiment, "pia", 1, [], "trial").info.run_id
    runs.log_param(run, Param("before", "1"))
    registry.create_model_version("m", "file:///elsewhere", run, [ModelVersionTag(DIGEST, "d" * 64)])
    refused("run", runs.log_param, run, Param("after", "1"))
    runs.update_run_info(run, RunStatus.FINISHED, 2, None)  # it may be registered before it ends, as by `mlflow run`
    runs.update_run_info(run, RunStatus.FINISHED, 2, "the same, by another name")
    refused("run", runs.update_run_info, run, RunStatus.FAILED, None, None)
    assert runs.update_run_info(run, RunStatus.FINISHED, 3, None).end_time == 2
    refused("experiment", runs.delete_experiment, experiment)
    registry.delete_model_version("m", "1")
    runs.log_param(run, Param("after", "1"))
    runs.delete_experiment(experiment)


def test_of_a_version_that_slipway_did_not_register_everything_may_change(
    runs: GuardedTracking, registry: SqlAlchemyStore
) -> None:
    experiment = runs.create_experiment("search")
    model = runs.create_logged_model(experiment).model_id
    registry.create_model_version("m", "file:///elsewhere", None, [])
    with registry.ManagedSessionMaker(
        read_only=False
    ) as session:  # MLflow would ask its own tracking server for the model
        session.query(SqlModelVersion).update({SqlModelVersion.source: f"models:/{model}"})
    runs.log_logged_model_params(model, [LoggedModelParameter("a", "1")])
    registry.set_model_version_tag("m", "1", ModelVersionTag(DIGEST, "d" * 64))
    refused("model", runs.log_logged_model_params, model, [LoggedModelParameter("b", "1")])
    refused("experiment", runs.delete_experiment, experiment)
