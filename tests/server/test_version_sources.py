"""Runs and the versions made by them, in two databases."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from mlflow.entities import LoggedModelParameter, Metric, Param, RunStatus, RunTag
from mlflow.entities.model_registry import ModelVersionTag
from mlflow.exceptions import MlflowException
from mlflow.store.model_registry.dbmodels.models import SqlModelVersion
from mlflow.store.model_registry.sqlalchemy_store import SqlAlchemyStore

from slipway.registry.trust import DIGEST
from slipway.server.identity import Anybody
from slipway.server.own_stores import outside
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
    return GuardedTracking(
        f"sqlite:///{tmp_path / 'runs.db'}", str(tmp_path / "artifacts"), lambda: registry, Anybody()
    )


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


@pytest.fixture
def family(runs: GuardedTracking, registry: SqlAlchemyStore) -> dict[str, str]:
    """A registered search with a trial, a nested one, and a search before it that it goes on from; and a run of nobody's."""
    experiment = runs.create_experiment("search")

    def made(name: str, **tags: str) -> str:
        named = [RunTag(key.replace("_", "."), value) for key, value in tags.items()]
        return str(runs.create_run(experiment, "pia", 1, named, name).info.run_id)

    before = made("before")
    search = made("search", slipway_continues=before)
    trial = made("trial", mlflow_parentRunId=search)
    ids = {
        "search": search,
        "trial": trial,
        "nested": made("nested", mlflow_parentRunId=trial),
        "before": before,
        "trial before": made("trial before", mlflow_parentRunId=before),
        "other": made("other"),
    }
    for run in ids.values():
        runs.log_batch(run, [Metric("roc_auc", 0.7, 1, 0)], [], [])
        if run != ids["nested"]:
            runs.update_run_info(run, RunStatus.FINISHED, 2, None)
    registry.create_model_version("m", "file:///elsewhere", search, [ModelVersionTag(DIGEST, "d" * 64)])
    return ids


FAMILY = ["search", "trial", "nested", "before", "trial before"]
WHERE_FROM = ["mlflow.user", "mlflow.source.git.commit", "mlflow.parentRunId", "mlflow.docker.image.id", "mlflow.uѕer"]


@pytest.mark.parametrize("member", FAMILY)
def test_the_whole_search_behind_a_version_stays_as_it_was(
    runs: GuardedTracking, family: dict[str, str], member: str
) -> None:
    run, which = family[member], "this run" if member == "search" else "the search of this run"
    for operation, given in (
        (runs.log_metric, [Metric("roc_auc", 0.999, 2, 0)]),
        (runs.log_batch, [[Metric("roc_auc", 0.999, 2, 0)], [], []]),
        (runs.log_param, [Param("after", "1")]),
        (runs.log_inputs, [[]]),
        (runs.log_outputs, [[]]),
        (runs.delete_run, []),
        (runs.restore_run, []),
        *((runs.set_tag, [RunTag(key, "eve")]) for key in WHERE_FROM),
        (runs.log_batch, [[], [], [RunTag("mlflow.user", "eve")]]),
        (runs.delete_tag, ["mlflow.user"]),
        (runs.update_run_info, [RunStatus.FAILED, None, None]),
    ):
        with pytest.raises(MlflowException, match=f"m version 1 was made by {which}"):
            operation(run, *given)
    assert runs.get_run(run).data.metrics == {"roc_auc": 0.7}


@pytest.mark.parametrize("member", FAMILY)
def test_nothing_is_put_below_or_attached_to_the_search_behind_a_version(
    runs: GuardedTracking, family: dict[str, str], member: str
) -> None:
    run, other = family[member], family["other"]
    experiment = runs.get_run(run).info.experiment_id
    below = RunTag("mlflow.parentRunId", run)
    for operation, given in (
        (runs.create_run, [experiment, "eve", 1, [below], "a better trial"]),
        (runs.set_tag, [other, below]),
        (runs.log_batch, [other, [], [], [below]]),
        (runs.create_logged_model, [experiment, "m", run]),
    ):
        with pytest.raises(MlflowException, match="m version 1 was made by"):
            operation(*given)
    with pytest.raises(MlflowException, match="m version 1 was made by this experiment"):
        runs.delete_experiment(experiment)


def test_of_the_search_behind_a_version_names_notes_and_own_tags_may_change_and_another_search_go_on_from_it(
    runs: GuardedTracking, family: dict[str, str]
) -> None:
    for member in FAMILY:
        runs.set_tag(family[member], RunTag("mlflow.note.content", "read"))
        runs.log_batch(family[member], [], [], [RunTag("mine", "1"), RunTag("mlflow.runName", "the one")])
    assert runs.update_run_info(family["nested"], RunStatus.KILLED, 3, None).status == "KILLED"  # as `close_dead` does
    experiment = runs.get_run(family["search"]).info.experiment_id
    after = runs.create_run(experiment, "pia", 1, [RunTag("slipway.continues", family["search"])], "search").info.run_id
    trial = runs.create_run(experiment, "pia", 1, [RunTag("mlflow.parentRunId", after)], "trial").info.run_id
    for run in (after, trial, family["other"]):
        runs.log_metric(run, Metric("roc_auc", 0.8, 3, 0))
    runs.delete_run(family["other"])


def test_runs_that_name_each_other_as_parents_are_asked_for_once(runs: GuardedTracking) -> None:
    experiment = runs.create_experiment("round")
    first = runs.create_run(experiment, "pia", 1, [], "first").info.run_id
    second = runs.create_run(experiment, "pia", 1, [RunTag("mlflow.parentRunId", first)], "second").info.run_id
    runs.set_tag(first, RunTag("mlflow.parentRunId", second))
    runs.log_metric(first, Metric("m", 1, 1, 0))


def test_a_model_that_is_attached_to_a_trial_stays_and_so_does_the_experiment_of_a_trial_elsewhere(
    runs: GuardedTracking, registry: SqlAlchemyStore
) -> None:
    home, away = runs.create_experiment("home"), runs.create_experiment("away")
    search = runs.create_run(home, "pia", 1, [], "search").info.run_id
    trial = runs.create_run(away, "pia", 1, [RunTag("mlflow.parentRunId", search)], "trial").info.run_id
    model = runs.create_logged_model(away, "m", trial).model_id
    registry.create_model_version("m", "file:///elsewhere", search, [ModelVersionTag(DIGEST, "d" * 64)])
    for operation, given in (
        (runs.delete_logged_model, [model]),
        (runs.log_logged_model_params, [model, [LoggedModelParameter("b", "1")]]),
        (runs.delete_experiment, [away]),
        (runs.log_metric, [runs.create_run(home, "pia", 1, [], "x").info.run_id, Metric("m", 1, 1, 0, model_id=model)]),
    ):
        with pytest.raises(MlflowException, match="m version 1 was made by"):
            operation(*given)


@pytest.mark.parametrize(
    "location",
    ["mlflow-artifacts://127.0.0.1:1/x", "http://127.0.0.1:1/x", "file://host/x", "mlflow-artifacts:/a\\..\\x"],
)
def test_a_location_of_another_host_or_that_readers_read_differently_is_outside(location: str) -> None:
    assert outside(location)


def test_a_location_is_inside_below_the_root_alone(tmp_path: Path) -> None:
    root = f"file://{tmp_path}/my%20root"
    for location in (f"{tmp_path}/my root/x", f"{root}/x", f"{tmp_path}/my%20root//./x"):
        assert outside(location, root) is None
    assert outside(f"{tmp_path}/my root of another/x", root)
    assert outside("s3://bucket/team-a/x", "s3://bucket/team-a") is None
    assert outside("s3://bucket/team-ab/x", "s3://bucket/team-a")
