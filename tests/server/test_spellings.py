"""The guard holds however a request spells a name, whatever it hides the name in, and however slowly it comes."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from tests.helpers.asking import ALL, done, post, refused

if TYPE_CHECKING:
    from conftest import Guarded

ARTIFACTS = "/api/2.0/mlflow-artifacts/artifacts"
DIGESTED = [{"key": "slipway.artifact_digest", "value": "d" * 64}]


def folder_of(run: Any) -> str:
    return str(run.info.artifact_uri).removeprefix("mlflow-artifacts:/")


def registered(server: "Guarded", name: str, source: str, **born: Any) -> Any:
    return done(post(server, "model-versions/create", name=name, source=source, tags=DIGESTED, **born))


@pytest.fixture(scope="module")
def run(server: "Guarded") -> Any:
    """A run whose model's files were registered."""
    with server.client(ALL) as client:
        run = client.create_run(client.create_experiment("spelled"))
        client.create_registered_model("spelled")
    registered(server, "spelled", f"{run.info.artifact_uri}/model", run_id=run.info.run_id)
    return run


@pytest.fixture(scope="module")
def model(server: "Guarded") -> str:
    return server.model()


ON_EXPERIMENTS = {
    "experiments/delete": {},
    "experiments/update": {"new_name": "elsewhere"},
    "experiments/set-experiment-tag": {"key": "slipway.head", "value": ""},
    "experiments/delete-experiment-tag": {"key": "slipway.head"},
    "runs/create": {},
    "logged-models": {"name": "m"},
}


@pytest.mark.parametrize("spelled", ["+{}", " {} ", "00{}", "0_{}", "\n{}"])
@pytest.mark.parametrize("path", ON_EXPERIMENTS)
def test_a_ledger_is_one_however_its_id_is_spelled(
    server: "Guarded", run: Any, model: str, path: str, spelled: str
) -> None:
    ledger = server.ledger(model)
    before = vars(server.past.get_experiment(ledger.experiment)), ledger.entries()
    asked = {"experiment_id": spelled.format(ledger.experiment), **ON_EXPERIMENTS[path]}
    refused(post(server, path, **asked), "ledger")
    assert (vars(server.past.get_experiment(ledger.experiment)), ledger.entries()) == before
    if path == "experiments/delete":
        made_in = spelled.format(run.info.experiment_id)
        refused(post(server, path, experiment_id=made_in), "spelled version 1 was made by this experiment")


def test_no_set_of_rows_for_evaluation_is_put_into_a_ledger(server: "Guarded") -> None:
    ledger = server.ledger(server.model())
    asked = {"name": "rows", "experiment_ids": [f"0{ledger.experiment}"]}
    refused(server.ask("POST", "/api/3.0/mlflow/datasets/create", ALL, json=asked), "ledger")


@pytest.mark.parametrize("way", ["/api", "/ajax-api"])
def test_a_path_that_looks_like_the_route_again_is_still_below_the_run(server: "Guarded", run: Any, way: str) -> None:
    path = f"{way}/2.0/mlflow-artifacts/artifacts/{folder_of(run)}/model{ARTIFACTS}/x"
    refused(server.ask("PUT", path, ALL, data=b"forged"), "spelled version 1")


def test_an_upload_that_was_begun_before_its_run_was_registered_is_not_taken_after_that(server: "Guarded") -> None:
    with server.client(ALL) as client:
        run = client.create_run(client.create_experiment("slow"))
        client.create_registered_model("slow")
    path = f"{ARTIFACTS}/{folder_of(run)}/model/MLmodel"
    done(server.ask("PUT", path, ALL, data=b"honest"))

    def slowly() -> Iterator[bytes]:
        yield b"for"
        registered(server, "slow", f"{run.info.artifact_uri}/model", run_id=run.info.run_id)
        yield b"ged"

    refused(server.ask("PUT", path, ALL, data=slowly()), "slow version 1")
    assert server.ask("GET", path, ALL).content == b"honest"
    listed = server.ask("GET", f"{ARTIFACTS}?path={folder_of(run)}/model", ALL).json()["files"]
    assert [each["path"] for each in listed] == ["MLmodel"]


SOURCES = {
    "where its files are": "{location}",
    "percent-encoded": "{encoded}",
    "with slashes to spare": "models:///{id}",
    "as a copy of a version of no evidence": "models:/spelled_decoy/1",
}


@pytest.mark.parametrize("how", SOURCES)
def test_a_logged_model_is_kept_however_a_version_names_it(server: "Guarded", how: str) -> None:
    name = f"spelled {how}"
    with server.client(ALL) as client:
        model = client.create_logged_model(client.create_experiment(name))
        client.create_registered_model(name)
        location, id_ = str(model.artifact_location), model.model_id
        if "decoy" in SOURCES[how]:
            client.create_registered_model("spelled_decoy")
            client.create_model_version("spelled_decoy", f"models:/{id_}", model_id=id_)
    encoded = location.replace("/m-", "/%6D-")
    source = SOURCES[how].format(location=location, encoded=encoded, id=id_)
    registered(server, name, source, **({} if "decoy" in source else {"model_id": id_}))
    path = f"{ARTIFACTS}/{location.removeprefix('mlflow-artifacts:/')}/MLmodel"
    refused(server.ask("PUT", path, ALL, data=b"forged"), f"{name} version 1")
    refused(
        post(server, f"logged-models/{id_}/params", model_id=id_, params=[{"key": "a", "value": "1"}]),
        f"{name} version 1",
    )
    refused(post(server, "experiments/delete", experiment_id=model.experiment_id), f"{name} version 1")


LIKE_A_RUN = "a" * 32


@pytest.mark.parametrize("folder", ["hidden/traces", f"hidden/{LIKE_A_RUN}"])
def test_no_folder_with_runs_is_deleted_whatever_it_is_called(server: "Guarded", folder: str) -> None:
    with server.client(ALL) as client:
        hidden = client.create_experiment(folder, f"mlflow-artifacts:/{folder}")
        run, model = client.create_run(hidden), client.create_logged_model(hidden)
    file = f"{ARTIFACTS}/{folder_of(run)}/model/MLmodel"
    done(server.ask("PUT", file, ALL, data=b"x"))
    for asked in (folder, f"{folder.replace('/', '%2F')}/.", f"{folder}/models"):
        refused(server.ask("DELETE", f"{ARTIFACTS}/{asked}", ALL), "whole folders")
    assert server.ask("GET", file, ALL).content == b"x"
    assert folder in str(model.artifact_location)
    of_a_trace = f"{ARTIFACTS}/{folder}/traces/tr-1"
    done(server.ask("PUT", f"{of_a_trace}/artifacts/spans.json", ALL, data=b"{}"))
    done(server.ask("DELETE", of_a_trace, ALL))


def test_a_file_that_is_named_after_a_registered_run_is_its_own_runs(server: "Guarded", run: Any) -> None:
    other = server.past.create_run(run.info.experiment_id)
    compared = f"{folder_of(other)}/compared/{run.info.run_id}/difference.png"
    done(server.ask("PUT", f"{ARTIFACTS}/{compared}", ALL, data=b"png"))
    done(server.ask("DELETE", f"{ARTIFACTS}/{compared}", ALL))
