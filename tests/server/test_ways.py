"""The other ways to stages, evidence and ledger that MLflow's server has: each asked by one who may do everything else."""

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conftest import Guarded

ALL = "admin"


@pytest.fixture(scope="module")
def model(server: "Guarded") -> str:
    return server.model()


@pytest.fixture(scope="module")
def trained(server: "Guarded") -> tuple[str, str]:
    """A run with a model's files and what it was tested on, registered; its id and where its artifacts are."""
    with server.client(ALL) as client:
        run = client.create_run(client.create_experiment("a search"))
        run_id = run.info.run_id
        for path in ("experiment.json", "evidence/facts.json", "model/MLmodel", "model_card.md"):
            answer = upload(server, f"{artifacts(run)}/{path}")
            assert answer.status_code == 200, answer.text
        client.set_terminated(run_id)
        client.create_registered_model("trained")
        tags = {"slipway.artifact_digest": "d" * 64}
        client.create_model_version("trained", f"{run.info.artifact_uri}/model", run_id, tags=tags)
    return run_id, artifacts(run)


def artifacts(run: Any) -> str:
    return str(run.info.artifact_uri).removeprefix("mlflow-artifacts:/")


def upload(server: "Guarded", path: str, api: str = "/api") -> Any:
    return server.ask("PUT", f"{api}/2.0/mlflow-artifacts/artifacts/{path}", ALL, data=b"forged")


def refused(answer: Any) -> str:
    assert answer.status_code == 403, answer.text
    told = answer.json()
    assert told["error_code"] == "PERMISSION_DENIED"
    return str(told["message"])


OF_THE_MODEL = {
    "registered-models/rename": ("POST", {"new_name": "another"}),
    "registered-models/delete": ("DELETE", {}),
    "registered-models/set-tag": ("POST", {"key": "slipway.judged", "value": "1"}),
    "registered-models/delete-tag": ("DELETE", {"key": "Slipway.judged"}),
    "registered-models/alias": ("DELETE", {"alias": "production"}),
}


@pytest.mark.parametrize("way", ["/api", "/ajax-api"])
@pytest.mark.parametrize("path", OF_THE_MODEL)
def test_a_model_with_a_history_keeps_its_name_its_tags_and_its_alias(
    server: "Guarded", model: str, way: str, path: str
) -> None:
    method, body = OF_THE_MODEL[path]
    before = server.state(model)
    assert refused(server.ask(method, f"{way}/2.0/mlflow/{path}", ALL, json={"name": model, **body}))
    assert server.state(model) == before


def test_what_is_so_already_may_be_said_again(server: "Guarded", model: str) -> None:
    before = server.state(model)
    served = {"name": model, "version": "1"}
    for path, body in (
        ("model-versions/transition-stage", {**served, "stage": "production", "archive_existing_versions": False}),
        ("registered-models/alias", {**served, "alias": "production"}),
        ("model-versions/set-tag", {**served, "key": "slipway.artifact_digest", "value": "d" * 64}),
    ):
        answer = server.ask("POST", f"/api/2.0/mlflow/{path}", ALL, json=body)
        assert answer.status_code == 200, answer.text
    assert server.state(model) == before


def test_a_stage_has_one_holder_and_is_left_for_archived_only(server: "Guarded") -> None:
    model = server.model()
    ask = {"name": model, "version": "2", "stage": "Production", "archive_existing_versions": False}
    path = "/api/2.0/mlflow/model-versions/transition-stage"
    assert "archive_existing_versions=True" in refused(server.ask("POST", path, "pia", json=ask))
    served = {**ask, "version": "1"}
    assert "for Archived alone" in refused(server.ask("POST", path, "pia", json={**served, "stage": "None"}))
    answer = server.ask("POST", path, "pia", json={**served, "stage": "Archived"})
    assert answer.json()["model_version"]["current_stage"] == "Archived"
    assert server.state(model)[1] == {}
    assert server.ledger(model).transitions()[-1].action == "archive"
    refused(server.ask("DELETE", "/api/2.0/mlflow/model-versions/delete", "pia", json={"name": model, "version": "1"}))


def test_the_version_in_production_is_not_moved_to_staging_by_any_way(server: "Guarded") -> None:
    model = server.model()
    before = server.state(model)
    ask = {"name": model, "version": "1", "stage": "Staging", "archive_existing_versions": True}
    by_mlflow = server.ask("POST", "/api/2.0/mlflow/model-versions/transition-stage", "pia", json=ask)
    asked = {"action": "promote", "version": 1, "stage": "Staging", "comment": ""}
    by_slipway = server.ask("POST", f"/api/2.0/slipway/models/{model}/movements", "pia", json=asked)
    for answer in (by_mlflow, by_slipway):
        assert "version 1 is in Production; promote another version there, roll back" in refused(answer)
    assert server.state(model) == before


def test_a_champion_that_was_archived_still_has_to_be_beaten(server: "Guarded") -> None:
    model = server.model(compared_with=None)
    path = "/api/2.0/mlflow/model-versions/transition-stage"
    ask = {"name": model, "version": "2", "stage": "Production", "archive_existing_versions": True}
    archived = server.ask("POST", path, "pia", json={**ask, "version": "1", "stage": "Archived"})
    assert archived.status_code == 200, archived.text
    assert "version 1, which was in Production last" in refused(server.ask("POST", path, "pia", json=ask))
    assert server.state(model)[1] == {}


def test_a_version_is_born_with_lineage_and_its_authors_and_nothing_else(server: "Guarded", trained: Any) -> None:
    run_id, root = trained
    born = {"name": "trained", "source": f"mlflow-artifacts:/{root}/model", "run_id": run_id}
    path = "/api/2.0/mlflow/model-versions/create"
    for key in ("slipway.verdict", "SLIPWAY.verdict"):
        asked = {**born, "tags": [{"key": key, "value": "passed"}]}
        assert key in refused(server.ask("POST", path, ALL, json=asked))
    said = [{"key": key, "value": "somebody else"} for key in ("slipway.author", "slipway.made_by")]
    made = server.ask("POST", path, ALL, json={**born, "tags": said})
    tags = {tag["key"]: tag["value"] for tag in made.json()["model_version"]["tags"]}
    seen = {"slipway.author": ALL, "slipway.made_by": ALL}
    assert tags == (seen if server.users else {"slipway.author": "somebody else"})


def test_the_mutex_of_transitions_is_the_servers(server: "Guarded") -> None:
    name = "anything.moving"
    assert refused(server.ask("POST", "/api/2.0/mlflow/registered-models/create", ALL, json={"name": name}))
    server.past.create_registered_model(name)
    for method, what, body in (
        ("DELETE", "delete", {}),
        ("PATCH", "update", {"description": "{}"}),
        ("POST", "rename", {"new_name": "x"}),
    ):
        assert refused(
            server.ask(method, f"/api/2.0/mlflow/registered-models/{what}", ALL, json={"name": name, **body})
        )
    server.past.delete_registered_model(name)


RUNS = {
    "runs/create": {},
    "runs/update": {"status": "FINISHED"},
    "runs/delete": {},
    "runs/restore": {},
    "runs/set-tag": {"key": "mine", "value": "1"},
    "runs/delete-tag": {"key": "slipway.entry"},
    "runs/log-batch": {"tags": [{"key": "slipway.seal", "value": "1"}]},
    "runs/log-metric": {"key": "m", "value": 1, "timestamp": 1},
    "runs/log-parameter": {"key": "p", "value": "1"},
    "runs/log-inputs": {"datasets": []},
    "experiments/delete": {},
    "experiments/restore": {},
    "experiments/update": {"new_name": "elsewhere"},
    "experiments/set-experiment-tag": {"key": "slipway.head", "value": ""},
    "logged-models": {"name": "m"},
}


@pytest.mark.parametrize("path", RUNS)
def test_nobody_writes_to_a_ledger(server: "Guarded", model: str, path: str) -> None:
    ledger = server.ledger(model)
    (run_id, *_) = [entry.run_id for entry in ledger.entries()]
    of_it = {"run_id": run_id} if path.startswith("runs/") and path != "runs/create" else {}
    body = {"experiment_id": ledger.experiment, **RUNS[path]} | of_it
    if of_it:
        del body["experiment_id"]
    before = [server.past.get_run(entry.run_id).to_dictionary() for entry in ledger.entries()]
    for way in ("/api", "/ajax-api"):
        assert "ledger" in refused(server.ask("POST", f"{way}/2.0/mlflow/{path}", ALL, json=body))
    assert [server.past.get_run(entry.run_id).to_dictionary() for entry in ledger.entries()] == before


def test_no_experiment_becomes_a_ledger_by_another_way(server: "Guarded") -> None:
    path = "/api/2.0/mlflow/experiments"
    elsewhere = {"name": "sly/promotions", "artifact_location": "mlflow-artifacts:/sly"}
    assert refused(server.ask("POST", f"{path}/create", ALL, json=elsewhere))
    made = server.ask("POST", f"{path}/create", ALL, json={"name": "sly"}).json()["experiment_id"]
    named = {"experiment_id": made, "new_name": "sly/promotions"}
    assert refused(server.ask("POST", f"{path}/update", ALL, json=named))


@pytest.mark.parametrize(
    "kept", ["experiment.json", "evidence/facts.json", "model/MLmodel", "model_card.md", "plots/new.txt"]
)
def test_the_files_of_a_version_stay_what_they_were(server: "Guarded", trained: tuple[str, str], kept: str) -> None:
    run_id, root = trained
    for path in (f"{root}/{kept}", f"{root}//{kept}", f"{root}/./{kept}", f"{root}/%65xperiment.json"):
        for api in ("/api", "/ajax-api"):
            assert "trained version 1" in refused(upload(server, path, api))
    for path in (f"{root}/{kept}", root, root.rpartition("/")[0], root.split("/")[0]):
        refused(server.ask("DELETE", f"/api/2.0/mlflow-artifacts/artifacts/{path}", ALL))
    for step in ("create", "complete", "abort"):
        refused(server.ask("POST", f"/api/2.0/mlflow-artifacts/mpu/{step}/{root}/{kept}", ALL, json={"path": kept}))
    by_page = f"/ajax-api/2.0/mlflow/upload-artifact?run_uuid={run_id}&path={kept}"
    refused(server.ask("POST", by_page, ALL, data=b"forged"))
    presigned = {"run_id": run_id, "path": kept}
    refused(server.ask("POST", "/api/2.0/mlflow/artifacts/presigned-upload-url", ALL, json=presigned))


FROZEN = {
    "runs/delete": {},
    "runs/set-tag": {"key": "slipway.author", "value": "eve"},
    "runs/delete-tag": {"key": "slipway.experiment"},
    "runs/log-batch": {"metrics": [{"key": "test_roc_auc", "value": 0.99, "timestamp": 1, "step": 0}]},
    "runs/log-metric": {"key": "test_roc_auc", "value": 0.99, "timestamp": 1},
    "runs/log-parameter": {"key": "p", "value": "1"},
    "runs/log-inputs": {
        "datasets": [{"dataset": {"name": "x", "digest": "d", "source_type": "local", "source": "{}"}}]
    },
    "runs/outputs": {"models": [{"model_id": "m-" + "1" * 32, "step": 0}]},
    "runs/log-model": {"model_json": '{"artifact_path": "x", "run_id": "", "flavors": {}, "utc_time_created": "2026"}'},
    "runs/update": {"status": "RUNNING"},
    "experiments/delete": {},
}


@pytest.mark.parametrize("path", FROZEN)
def test_what_a_version_was_made_by_stays_as_it_was(server: "Guarded", trained: tuple[str, str], path: str) -> None:
    run_id, _ = trained
    before = server.past.get_run(run_id)
    of_it = {"run_id": run_id} if path.startswith("runs/") else {"experiment_id": before.info.experiment_id}
    for way in ("/api", "/ajax-api"):
        told = refused(server.ask("POST", f"{way}/2.0/mlflow/{path}", ALL, json={**of_it, **FROZEN[path]}))
        assert "trained version 1 was made by this" in told
    assert server.past.get_run(run_id).to_dictionary() == before.to_dictionary()


def test_when_a_registered_run_ended_stays_as_it_was(server: "Guarded", trained: tuple[str, str]) -> None:
    run_id, _ = trained
    before = server.past.get_run(run_id).info
    for asked in ({"end_time": 0}, {"end_time": 1, "status": "FINISHED"}):
        answer = server.ask("POST", "/api/2.0/mlflow/runs/update", ALL, json={"run_id": run_id, **asked})
        assert answer.status_code == 200, answer.text
    assert server.past.get_run(run_id).info.end_time == before.end_time


ONES_OWN = {
    "set-tag": {"key": "mlflow.note.content", "value": "x"},
    "log-batch": {"tags": [{"key": "mine", "value": "x"}]},
    "delete-tag": {"key": "mine"},
    "update": {"run_name": "the one", "status": "FINISHED"},
}


def test_of_a_registered_run_name_note_and_ones_own_tags_may_change_and_another_run_altogether(
    server: "Guarded", trained: tuple[str, str]
) -> None:
    run_id, _ = trained
    for path, body in ONES_OWN.items():
        answer = server.ask("POST", f"/api/2.0/mlflow/runs/{path}", ALL, json={"run_id": run_id, **body})
        assert answer.status_code == 200, answer.text
    assert server.past.get_run(run_id).info.run_name == "the one"
    experiment = server.past.get_run(run_id).info.experiment_id
    other = server.past.create_run(experiment)
    assert upload(server, f"{artifacts(other)}/plots/new.txt").status_code == 200
    answer = server.ask("DELETE", f"/api/2.0/mlflow-artifacts/artifacts/{artifacts(other)}/plots/new.txt", ALL)
    assert answer.status_code == 200
    metric = {"run_id": other.info.run_id, "key": "m", "value": 1, "timestamp": 1}
    assert server.ask("POST", "/api/2.0/mlflow/runs/log-metric", ALL, json=metric).status_code == 200
    assert server.ask("POST", "/api/2.0/mlflow/runs/delete", ALL, json={"run_id": other.info.run_id}).status_code == 200


@pytest.fixture(scope="module")
def logged(server: "Guarded") -> Any:
    """A logged model that a version was registered from, without a run."""
    with server.client(ALL) as client:
        model = client.create_logged_model(client.create_experiment("a logged model"))
        client.create_registered_model("logged")
    born = {"name": "logged", "source": f"models:/{model.model_id}", "model_id": model.model_id}
    tags = [{"key": "slipway.artifact_digest", "value": "d" * 64}]
    made = server.ask("POST", "/api/2.0/mlflow/model-versions/create", ALL, json={**born, "tags": tags})
    assert made.status_code == 200, made.text
    return model


def test_the_logged_model_behind_a_version_stays_as_it_was(server: "Guarded", logged: Any) -> None:
    id_ = logged.model_id
    path = f"/api/2.0/mlflow/logged-models/{id_}"
    for method, what, body in (
        ("DELETE", path, {}),
        ("PATCH", path, {"status": "LOGGED_MODEL_UPLOAD_FAILED"}),
        ("POST", f"{path}/params", {"params": [{"key": "a", "value": "1"}]}),
    ):
        told = refused(server.ask(method, what, ALL, json={"model_id": id_, **body} if body else None))
        assert "logged version 1 was made by this model" in told
    delete = {"experiment_id": logged.experiment_id}
    told = refused(server.ask("POST", "/api/2.0/mlflow/experiments/delete", ALL, json=delete))
    assert "logged version 1 was made by this experiment" in told


def test_no_other_run_measures_the_logged_model_behind_a_version(server: "Guarded", logged: Any) -> None:
    run_id = server.past.create_run(logged.experiment_id).info.run_id
    metric = {"key": "test_roc_auc", "value": 0.99, "timestamp": 1, "model_id": logged.model_id}
    for path, body in (("log-metric", metric), ("log-batch", {"metrics": [{**metric, "step": 0}]})):
        answer = server.ask("POST", f"/api/2.0/mlflow/runs/{path}", ALL, json={"run_id": run_id, **body})
        assert "logged version 1 was made by this model" in refused(answer)
    assert not server.past.get_logged_model(logged.model_id).metrics


def test_no_experiment_keeps_its_artifacts_in_the_folder_of_a_run_or_a_model(
    server: "Guarded", trained: tuple[str, str], logged: Any
) -> None:
    _, root = trained
    of_model = str(logged.artifact_location)
    hidden = f"mlflow-artifacts:/{root}".replace("artifacts:/", "artifacts:/%2e/").replace("/a", "/%2561")
    for location in (f"mlflow-artifacts:/{root}/evidence", of_model, f"s3://bucket/{root}", hidden):
        asked = {"name": "nested", "artifact_location": location}
        answer = server.ask("POST", "/api/2.0/mlflow/experiments/create", ALL, json=asked)
        assert "an experiment keeps its artifacts elsewhere" in refused(answer)
    assert server.past.get_experiment_by_name("nested") is None


IN_A_LEDGER = ("note.txt", "{unknown}/artifacts/x.json", "{run}/artifacts/evidence/case.json", "traces/tr/x")


@pytest.mark.parametrize("within", IN_A_LEDGER)
def test_nobody_puts_or_takes_anything_in_the_folder_of_a_ledger(server: "Guarded", model: str, within: str) -> None:
    ledger = server.ledger(model)
    folder = f"{model}-ledger"
    before = sorted((server.home / "artifacts" / folder).rglob("*"))
    path = f"{folder}/{within.format(unknown='f' * 32, run=ledger.entries()[0].run_id)}"
    for spelled in (path, path.upper(), path.replace("-", "%252D"), f"./{path}"):
        for api in ("/api", "/ajax-api"):
            assert "folder of a ledger" in refused(upload(server, spelled, api))
    for asked in (path, folder, folder.upper()):
        assert refused(server.ask("DELETE", f"/api/2.0/mlflow-artifacts/artifacts/{asked}", ALL))
    for step in ("create", "complete", "abort"):
        assert refused(server.ask("POST", f"/api/2.0/mlflow-artifacts/mpu/{step}/{path}", ALL, json={"path": "x"}))
    assert sorted((server.home / "artifacts" / folder).rglob("*")) == before


def test_an_experiment_in_the_folder_of_a_ledger_gets_no_uploads(server: "Guarded", model: str) -> None:
    inside = server.past.create_experiment(f"inside {model}", f"mlflow-artifacts:/{model}-ledger/inside")
    run = server.past.create_run(inside)
    assert "folder of a ledger" in refused(upload(server, f"{artifacts(run)}/x.txt"))
    by_page = f"/ajax-api/2.0/mlflow/upload-artifact?run_uuid={run.info.run_id}&path=x.txt"
    assert "folder of a ledger" in refused(server.ask("POST", by_page, ALL, data=b"forged"))
    presigned = {"run_id": run.info.run_id, "path": "x.txt"}
    way = "/api/2.0/mlflow/artifacts/presigned-upload-url"
    assert "folder of a ledger" in refused(server.ask("POST", way, ALL, json=presigned))


def test_a_folder_beside_that_of_a_ledger_is_ones_own(server: "Guarded", model: str) -> None:
    assert upload(server, f"{model}-ledger-notes/x.txt").status_code == 200


@pytest.mark.parametrize("source", ["s3://bucket/model", "gs://bucket/model", "s3://bucket/{root}/model"])
def test_a_model_that_slipway_promotes_takes_no_files_that_no_run_of_the_server_made(
    server: "Guarded", model: str, trained: tuple[str, str], source: str
) -> None:
    path = "/api/2.0/mlflow/model-versions/create"
    before = server.state(model), server.state("trained")
    born = {"source": source.format(root=trained[1])}
    lineage = [{"key": "slipway.artifact_digest", "value": "d" * 64}]
    for name, tags in ((model, []), ("trained", []), ("trained", lineage)):
        answer = server.ask("POST", path, ALL, json={"name": name, **born, "tags": tags})
        assert "is not among the files of a run or a logged model of this server" in refused(answer)
    assert (server.state(model), server.state("trained")) == before


def test_a_copy_of_a_foreign_version_is_no_way_around_that(server: "Guarded", model: str) -> None:
    path = "/api/2.0/mlflow/model-versions/create"
    foreign = f"foreign {model}"
    with server.client(ALL) as client:
        client.create_registered_model(foreign)
    made = server.ask("POST", path, ALL, json={"name": foreign, "source": "s3://bucket/model"})
    assert made.status_code == 200, made.text  # a model that is none of Slipway's is registered as on any other server
    assert "Slipway promotes" in refused(
        server.ask("POST", path, ALL, json={"name": model, "source": f"models:/{foreign}/1"})
    )
    lineage = [{"key": "slipway.data_digest", "value": "d" * 64}]
    told = refused(server.ask("POST", path, ALL, json={"name": foreign, "source": "s3://b/m", "tags": lineage}))
    assert "the tag slipway.data_digest says that Slipway made it" in told and "slipway register" in told
