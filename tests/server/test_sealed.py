"""The attempt matrix beyond stages: the family of a registered run, the artifact root, look-alike names, by each way."""

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from mlflow.exceptions import MlflowException
from tests.helpers.asking import ALL, done, post, refused

from slipway.errors import Refusal
from slipway.tracking.runs import open_run

if TYPE_CHECKING:
    from conftest import Guarded

WAYS = ["client", "/api", "/ajax-api"]
OUTSIDE = {
    "a folder": "file://{folder}",
    "a path": "{folder}",
    "a path below the working directory": "elsewhere",
    "above the root": "mlflow-artifacts:/../../outside",
    "above the root, encoded": "mlflow-artifacts:/%252e%252e/outside",
    "above the root from below": "{root}/../outside",
    "a link out of the root": "{root}/link",
    "another bucket": "s3://somebody/else",
    "Databricks": "dbfs:/x",
    "a question": "mlflow-artifacts:/x?a=b",
}
INSIDE = ["mlflow-artifacts:/my own/folder", "{root}/my own"]
ALIKE = [
    "seaIed_{kind}",
    "sealed_{kind}\u200b",
    "se\u0430led_{kind}",
    "SEALED_{kind}",
    "ｓealed_{kind}",
    "\u202esealed_{kind}",
]


def tried(server: "Guarded", way: str, path: str, by: Callable[[Any], Any], body: dict[str, Any]) -> str:
    """Make an attempt by one way; return the reason of a refusal, and "" for none."""
    if way == "client":
        with server.client(ALL) as client:
            try:
                by(client)
            except MlflowException as error:
                assert error.error_code == "PERMISSION_DENIED", error
                return str(error)
        return ""
    answer = server.ask("POST", f"{way}/2.0/mlflow/{path}", ALL, json=body)
    assert answer.status_code in (200, 403), answer.text
    return "" if answer.status_code == 200 else str(answer.json()["message"])


@pytest.fixture(scope="module")
def root(server: "Guarded") -> Iterator[Path]:
    """The artifact root of the server, with a link in it that leads out."""
    root = server.home / "artifacts"
    root.mkdir(exist_ok=True)
    link = root / "link"
    link.symlink_to(server.home.parent)
    yield root
    link.unlink()


@pytest.mark.parametrize("where", OUTSIDE)
@pytest.mark.parametrize("way", WAYS)
def test_no_experiment_keeps_its_artifacts_outside_the_root(
    server: "Guarded", root: Path, tmp_path: Path, way: str, where: str
) -> None:
    location, name = OUTSIDE[where].format(folder=tmp_path, root=root), f"outside {where}"
    asked = {"name": name, "artifact_location": location}
    said = tried(server, way, "experiments/create", lambda client: client.create_experiment(name, location), asked)
    assert "is not below the server's artifact root" in said
    assert server.past.get_experiment_by_name(name) is None


@pytest.mark.parametrize("where", INSIDE)
def test_an_experiment_keeps_them_below_the_root_where_it_likes(server: "Guarded", root: Path, where: str) -> None:
    asked = {"name": f"inside {where}", "artifact_location": where.format(root=root)}
    done(post(server, "experiments/create", **asked))


def test_nothing_is_written_outside_the_root_for_an_experiment_that_was_there_before(
    server: "Guarded", tmp_path: Path
) -> None:
    before = server.past.create_experiment("before the upgrade", f"file://{tmp_path}")
    run = server.past.create_run(before).info.run_id
    path = f"/ajax-api/2.0/mlflow/upload-artifact?run_uuid={run}&path=x.txt"
    refused(server.ask("POST", path, ALL, data=b"x"), "is not below the server's artifact root")
    presigned = {"run_id": run, "path": "x.txt"}
    refused(post(server, "artifacts/presigned-upload-url", **presigned), "is not below the server's artifact root")
    prompt = {"experiment_id": before, "prompt_template": "x", "prompt_parameters": [{"key": "a", "value": "b"}]}
    told = {"model_route": "x", "model_input": "x", "model_output": "x", "mlflow_version": "3"}
    path = "/ajax-api/2.0/mlflow/runs/create-promptlab-run"
    refused(server.ask("POST", path, ALL, json=prompt | told), "is not below the server's artifact root")
    assert list(tmp_path.rglob("*")) == []
    done(post(server, "runs/log-metric", run_id=run, key="m", value=1, timestamp=1))


def test_the_server_reads_the_attachments_of_a_trace_from_the_folder_of_that_trace_alone(
    server: "Guarded", tmp_path: Path
) -> None:
    """MLflow reads them from wherever a tag of the trace says, which whoever may edit the trace sets."""
    attachment = str(uuid.uuid4())
    elsewhere = tmp_path / "attachments" / attachment
    elsewhere.parent.mkdir()
    elsewhere.write_text("a secret")
    experiment = done(post(server, "experiments/create", name=f"traces {attachment}"))["experiment_id"]
    trace = done(post(server, "traces", experiment_id=experiment, timestamp_ms=1))["trace_info"]
    id_, place = trace["request_id"], next(t["value"] for t in trace["tags"] if t["key"] == "mlflow.artifactLocation")
    own = server.home / "artifacts" / place.removeprefix("mlflow-artifacts:/") / "attachments" / attachment
    own.parent.mkdir(parents=True)
    own.write_text("its own")
    wanted = f"/ajax-api/2.0/mlflow/get-trace-artifact?request_id={id_}&path={attachment}"
    assert server.ask("GET", wanted, ALL).text == "its own"
    for foreign in (tmp_path.as_uri(), str(tmp_path), f"{place}/../../..", place.replace(id_, "tr-1")):
        tag = {"key": "mlflow.artifactLocation", "value": foreign}
        done(server.ask("PATCH", f"/api/2.0/mlflow/traces/{id_}/tags", ALL, json=tag))
        refused(server.ask("GET", wanted, ALL), "is not a folder of the trace")


@pytest.fixture(scope="module")
def standing(server: "Guarded") -> None:
    with server.client(ALL) as client:
        client.create_registered_model("sealed_model")
        client.create_experiment("sealed_experiment")


@pytest.mark.parametrize("name", ALIKE)
@pytest.mark.parametrize("kind", ["model", "experiment"])
@pytest.mark.parametrize("way", WAYS)
def test_no_name_looks_like_one_that_stands(server: "Guarded", standing: None, way: str, kind: str, name: str) -> None:
    name = name.format(kind=kind)
    path = {"model": "registered-models/create", "experiment": "experiments/create"}[kind]
    make = {"model": "create_registered_model", "experiment": "create_experiment"}[kind]
    said = tried(server, way, path, lambda client: getattr(client, make)(name), {"name": name})
    assert f"looks like 'sealed_{kind}', which stands already" in said or "which nobody sees" in said


def test_what_stands_already_goes_on_and_what_does_not_look_alike_is_made(server: "Guarded", standing: None) -> None:
    server.past.create_registered_model("seaIed_model")
    server.past.create_model_version("seaIed_model", "mlflow-artifacts:/0/none")
    done(post(server, "model-versions/set-tag", name="seaIed_model", version="1", key="mine", value="1"))
    done(post(server, "registered-models/alias", name="seaIed_model", alias="blue", version="1"))
    for name in ("sealed_model_2", "Kündigungen", "解約", "отток", "⚠\ufe0f risky"):
        done(post(server, "registered-models/create", name=name))
        done(post(server, "experiments/create", name=name))
    again = post(server, "registered-models/create", name="sealed_model")
    assert again.json()["error_code"] == "RESOURCE_ALREADY_EXISTS"


def test_no_model_or_experiment_is_renamed_to_look_like_another(server: "Guarded", standing: None) -> None:
    done(post(server, "registered-models/create", name="renamed_model"))
    refused(post(server, "registered-models/rename", name="renamed_model", new_name="seaIed_rnodeI"), "looks like")
    done(post(server, "registered-models/rename", name="renamed_model", new_name="Renamed_model"))
    made = done(post(server, "experiments/create", name="renamed_experiment"))["experiment_id"]
    refused(post(server, "experiments/update", experiment_id=made, new_name="sealed_experirnent"), "looks like")
    done(post(server, "experiments/update", experiment_id=made, new_name="Renamed_experiment"))


def test_a_model_does_not_look_like_an_experiment_but_may_differ_from_it_in_case(
    server: "Guarded", standing: None
) -> None:
    refused(post(server, "registered-models/create", name="sealed_experirnent"), "looks like 'sealed_experiment'")
    done(post(server, "registered-models/create", name="Sealed_Experiment"))


def test_no_model_has_the_name_that_means_all_models_to_mlflows_permissions(server: "Guarded") -> None:
    """MLflow lets whoever makes a model manage its name, and a permission on `*` is one on every model."""

    def ask(path: str, **body: Any) -> Any:
        return server.ask("POST", f"/api/2.0/mlflow/registered-models/{path}", "ada", json=body)

    model = server.model()
    refused(ask("create", name="*"), "stands for all models")
    refused(
        ask("create", name="*", tags=[{"key": "mlflow.prompt.is_prompt", "value": "true"}]), "stands for all models"
    )
    done(ask("create", name=f"{model}_of_ada"))
    refused(ask("rename", name=f"{model}_of_ada", new_name="*"), "stands for all models")
    if server.users:
        assert server.ask("GET", f"/api/2.0/slipway/about?model={model}", "ada").json()["may"] == []


KEYS = ["ѕlipway.artifact_digest", "s1ipway.artifact_digest", "slip\u200bway.artifact_digest", "ow\u200bner"]


@pytest.mark.parametrize("key", KEYS)
def test_no_tag_or_alias_looks_like_one_of_slipways(server: "Guarded", key: str) -> None:
    model = server.model()
    before = server.state(model)
    tag = {"key": key, "value": "1"}
    for what, more in (("registered-models/set-tag", {}), ("model-versions/set-tag", {"version": "2"})):
        refused(post(server, what, name=model, **more, **tag), key)
    for alias in ("prоduction", "ρroduction", "PRODUCTION", "stаging"):
        refused(
            post(server, "registered-models/alias", name=model, alias=alias, version="2"), "would not follow the stage"
        )
    assert server.state(model) == before
    done(post(server, "registered-models/alias", name=model, alias="champion", version="2"))
    refused(post(server, "registered-models/alias", name=model, alias="chаmpion", version="1"), "looks like 'champion'")


def test_a_name_belongs_to_who_has_it_as_an_experiment_or_a_model(server: "Guarded") -> None:
    def ask(who: str, path: str, name: str) -> Any:
        return server.ask("POST", f"/api/2.0/mlflow/{path}", who, json={"name": name})

    if not server.users:
        done(ask("edi", "experiments/create", "edis_anybody"))
        done(ask("pia", "registered-models/create", "edis_anybody"))
        return
    done(ask("edi", "experiments/create", "edis_search"))
    done(ask("pia", "registered-models/create", "pias_model"))
    refused(ask("pia", "registered-models/create", "edis_search"), "is an experiment of somebody else")
    done(ask("edi", "registered-models/create", "edis_search"))
    done(ask("pia", "experiments/create", "pias_model"))
    done(ask(ALL, "experiments/create", "of_the_admin"))
    refused(ask("edi", "registered-models/create", "of_the_admin"), "is an experiment of somebody else")
    stands = ask(
        "pia", "registered-models/create", "edis_search"
    )  # as a client does before it registers a further version
    assert stands.json()["error_code"] == "RESOURCE_ALREADY_EXISTS"
    with server.client("ada") as client:  # pia, who is a promoter of all models, may train each of them
        experiment = client.get_experiment_by_name("edis_search").experiment_id
        with pytest.raises(
            Refusal, match="'edis_search' was made by somebody else: a run in it takes the permission EDIT"
        ):
            open_run(client, experiment, "search", {}).__enter__()


FAMILY = {
    "log-metric": {"key": "roc_auc", "value": 0.999, "timestamp": 1},
    "log-batch": {"metrics": [{"key": "roc_auc", "value": 0.999, "timestamp": 1, "step": 0}]},
    "set-tag": {"key": "mlflow.user", "value": "eve"},
    "delete": {},
    "restore": {},
    "outputs": {"models": [{"model_id": "m-" + "1" * 32, "step": 0}]},
}


@pytest.fixture(scope="module")
def trial(server: "Guarded") -> Any:
    """A trial of a search that was registered."""
    with server.client(ALL) as client:
        search = client.create_run(client.create_experiment("sealed search"))
        trial = client.create_run(search.info.experiment_id, tags={"mlflow.parentRunId": search.info.run_id})
        client.create_registered_model("sealed search")
    tags = [{"key": "slipway.artifact_digest", "value": "d" * 64}]
    born = {"source": f"{search.info.artifact_uri}/model", "run_id": search.info.run_id, "tags": tags}
    done(post(server, "model-versions/create", name="sealed search", **born))
    return trial


@pytest.mark.parametrize("path", FAMILY)
@pytest.mark.parametrize("way", ["/api", "/ajax-api"])
def test_a_trial_of_a_registered_search_is_not_rewritten(server: "Guarded", trial: Any, way: str, path: str) -> None:
    run = trial.info.run_id
    answer = server.ask("POST", f"{way}/2.0/mlflow/runs/{path}", ALL, json={"run_id": run, **FAMILY[path]})
    refused(answer, "sealed search version 1 was made by the search of this run")
    file = trial.info.artifact_uri.removeprefix("mlflow-artifacts:/")
    upload = server.ask("PUT", f"{way}/2.0/mlflow-artifacts/artifacts/{file}/x", ALL, data=b"x")
    refused(upload, "or of the search that it was made by")
