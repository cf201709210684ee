"""What can be registered, and what somebody is told whose version or run cannot be gone by."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from mlflow import MlflowClient
from mlflow.entities import LoggedModelOutput, LoggedModelStatus

from slipway.core.metrics import Outcome
from slipway.core.spec import Experiment
from slipway.errors import Refusal, UntrustedModel
from slipway.registry.evidence import FOLDER, TestRows, save
from slipway.registry.fetch import fetch_verified
from slipway.registry.trust import DIGEST
from slipway.registry.versions import get_version
from slipway.tracking.client import connect
from slipway.workflows.register import register_run

pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy:DeprecationWarning")
NAME = "small"


@pytest.fixture
def client(tmp_path: Path, migrated_database: Path) -> MlflowClient:
    client = connect(f"sqlite:///{shutil.copy(migrated_database, tmp_path / 'mlflow.db')}")
    client.create_experiment(NAME, artifact_location=str(tmp_path / "runs"))
    return client


def a_run(client: MlflowClient, status: str = "FINISHED", **tags: str) -> str:
    run_id = str(client.create_run(client.get_experiment_by_name(NAME).experiment_id, tags=tags).info.run_id)
    client.set_terminated(run_id, status)
    return run_id


def a_search(client: MlflowClient, folder: Path, declared: Experiment) -> str:
    """A finished search, as far as it matters here: test rows, declaration, and a model of one file."""
    run_id = a_run(client, **{"slipway.kind": "search", "slipway.experiment": NAME})
    truth = np.arange(4) % 2 * 1.0
    rows = pd.DataFrame({"minutes": np.arange(4.0), "port": list("abab"), "late": truth.astype(int)})
    save(folder / FOLDER, TestRows(rows, "late", (0, 1), {"prior": Outcome(truth, truth)}))
    client.log_artifacts(run_id, str(folder / FOLDER), FOLDER)
    client.log_text(run_id, json.dumps(declared.as_dict()), "experiment.json")
    model = client.create_logged_model(client.get_run(run_id).info.experiment_id, "model", run_id)
    (folder / "made").mkdir()
    (folder / "made/MLmodel").write_text("flavors: {}\n")
    client.log_model_artifacts(model.model_id, str(folder / "made"))
    client.finalize_logged_model(model.model_id, LoggedModelStatus.READY)
    client.log_outputs(run_id, [LoggedModelOutput(model.model_id, 0)])
    return run_id


def test_a_run_whose_version_was_made_past_slipway_gets_one_with_a_digest_once(
    client: MlflowClient, tmp_path: Path, declare: Callable[..., Experiment]
) -> None:
    run_id = a_search(client, tmp_path, declare())
    client.create_registered_model(NAME)
    (output,) = client.get_run(run_id).outputs.model_outputs
    client.create_model_version(NAME, f"models:/{output.model_id}", run_id)
    (tmp_path / "into").mkdir()
    with pytest.raises(UntrustedModel, match=f"no digest in the registry.*`slipway register {NAME} {run_id}`"):
        fetch_verified(get_version(client, NAME, 1), tmp_path / "into")
    made = register_run(client, NAME, run_id)
    assert (made.new, made.version.number) == (True, 2) and made.version.tags[DIGEST]
    again = register_run(client, NAME, run_id)
    assert (again.new, again.version.number) == (False, 2)
    model = client.get_logged_model(output.model_id)
    (Path(model.artifact_location) / "MLmodel").write_text("flavors: {other: {}}\n")
    (tmp_path / "later").mkdir()
    with pytest.raises(UntrustedModel, match=f"bytes changed; train a new version with `slipway run {NAME}`"):
        fetch_verified(get_version(client, NAME, 2), tmp_path / "later")


def test_a_run_of_another_tool_is_told_that_it_cannot_be_registered_here(client: MlflowClient) -> None:
    run_id = a_run(client)
    with pytest.raises(
        Refusal, match=rf"run {run_id} was not made by `slipway run`: .*train with `slipway run {NAME}`"
    ):
        register_run(client, NAME, run_id)


@pytest.mark.parametrize("status", ["KILLED", "FAILED"])
def test_a_search_that_did_not_finish_is_told_how_it_goes_on(client: MlflowClient, status: str) -> None:
    run_id = a_run(client, status, **{"slipway.kind": "search", "slipway.experiment": NAME})
    said = rf"is no finished search \(status {status}\).*`slipway run {NAME} --resume`"
    with pytest.raises(Refusal, match=said):
        register_run(client, NAME, run_id)
