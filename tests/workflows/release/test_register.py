"""Runs that can be registered, and the errors for versions and runs that cannot be verified."""

from collections.abc import Callable
from pathlib import Path

import pytest
from mlflow import MlflowClient
from mlflow.entities import LoggedModelOutput, LoggedModelStatus
from mlflow.exceptions import MlflowException
from sklearn.dummy import DummyClassifier
from tests.helpers.model_files import write_model

from slipway.core.spec import Experiment
from slipway.errors import Refusal, UntrustedModel
from slipway.registry.artifacts.fetch import fetch_verified
from slipway.registry.trust import DIGEST
from slipway.registry.versions import get_version
from slipway.workflows._sides import find_two
from slipway.workflows.release.register import register_run

pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy:DeprecationWarning")
NAME = "small"
SEARCH = {"slipway.kind": "search", "slipway.experiment": NAME}


def a_run(client: MlflowClient, status: str = "FINISHED", **tags: str) -> str:
    run_id = str(client.create_run(client.get_experiment_by_name(NAME).experiment_id, tags=tags).info.run_id)
    client.set_terminated(run_id, status)
    return run_id


def give_model(client: MlflowClient, run_id: str, folder: Path) -> str:
    """Give a run a model, and return its id."""
    model = client.create_logged_model(client.get_run(run_id).info.experiment_id, "model", run_id)
    write_model(folder / "made", DummyClassifier().fit([[0], [1]], [0, 1]))
    client.log_model_artifacts(model.model_id, str(folder / "made"))
    client.finalize_logged_model(model.model_id, LoggedModelStatus.READY)
    client.log_outputs(run_id, [LoggedModelOutput(model.model_id, 0)])
    client.set_terminated(run_id)
    return str(model.model_id)


def test_a_run_whose_version_was_made_past_slipway_gets_one_with_a_digest_once(
    store: MlflowClient,
    tested_run: Callable[..., tuple[str, dict[str, str]]],
    tmp_path: Path,
    declare: Callable[..., Experiment],
) -> None:
    client = store
    run_id, _ = tested_run(declare(), **SEARCH)
    model_id = give_model(client, run_id, tmp_path)
    client.create_registered_model(NAME)
    client.create_model_version(NAME, f"models:/{model_id}", run_id)
    (tmp_path / "into").mkdir()
    with pytest.raises(UntrustedModel, match=f"no digest in the registry.*`slipway register {NAME} {run_id}`"):
        fetch_verified(get_version(client, NAME, 1), tmp_path / "into")
    made = register_run(client, NAME, run_id, ())
    assert (made.new, made.version.number) == (True, 2) and made.version.tags[DIGEST]
    again = register_run(client, NAME, run_id, ())
    assert (again.new, again.version.number) == (False, 2)
    sides = find_two(client, NAME, run_id, "1")  # the run is compared as the version that can be verified
    assert [side.version and side.version.number for side in sides] == [2, 1]
    model = client.get_logged_model(model_id)
    (Path(model.artifact_location) / "MLmodel").write_text("flavors: {other: {}}\n")
    (tmp_path / "later").mkdir()
    with pytest.raises(UntrustedModel, match=f"bytes changed; train a new version with `slipway run {NAME}`"):
        fetch_verified(get_version(client, NAME, 2), tmp_path / "later")


def test_a_run_whose_model_mlflow_would_load_otherwise_is_not_registered(
    store: MlflowClient,
    tested_run: Callable[..., tuple[str, dict[str, str]]],
    tmp_path: Path,
    declare: Callable[..., Experiment],
) -> None:
    run_id, _ = tested_run(declare(), **SEARCH)
    model = store.get_logged_model(give_model(store, run_id, tmp_path))
    path = Path(model.artifact_location) / "MLmodel"
    path.write_text(path.read_text().replace("loader_module: mlflow.sklearn", "loader_module: own_loader"))
    with pytest.raises(UntrustedModel, match=r"loader_module is 'own_loader'; allowed is 'mlflow.sklearn'"):
        register_run(store, NAME, run_id, ())
    with pytest.raises(MlflowException, match="not found"):
        store.get_registered_model(NAME)


def test_a_run_of_another_tool_is_told_that_it_cannot_be_registered_here(store: MlflowClient) -> None:
    run_id = a_run(store)
    with pytest.raises(
        Refusal, match=rf"run {run_id} was not made by `slipway run`: .*train with `slipway run {NAME}`"
    ):
        register_run(store, NAME, run_id, ())


@pytest.mark.parametrize("status", ["KILLED", "FAILED"])
def test_a_search_that_did_not_finish_is_told_how_it_goes_on(store: MlflowClient, status: str) -> None:
    run_id = a_run(store, status, **SEARCH)
    said = rf"is no finished search \(status {status}\).*`slipway run {NAME} --resume`"
    with pytest.raises(Refusal, match=said):
        register_run(store, NAME, run_id, ())
