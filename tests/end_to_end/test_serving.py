"""The endpoint beside MLflow's own, on real sockets; and models that must not be served."""

import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import mlflow
import pandas as pd
import pytest
from tests.helpers.commands import read_json

from slipway.processes import free_port, start_process, stop_process, wait_until_ready
from slipway.registry.trust import artifact_digest

if TYPE_CHECKING:
    from conftest import Library

HOST = "127.0.0.1"
JSON = "application/json"
ROWS = [
    {"branch": "hill", "genre": "saga", "pages": 812, "age": 17, "late_before": 4, "student": True},
    {"branch": "elsewhere", "genre": "crime", "pages": 90, "age": None, "late_before": 0, "student": False},
]
CSV = "branch,genre,pages,age,late_before,student\nhill,saga,812,17.0,4,True\n"


@pytest.fixture(scope="module")
def urls(library: "Library", tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """Yield where `slipway serve` answers and where `mlflow models serve` answers, of the same version."""
    library.in_production("late_loans")
    port, log = free_port(HOST, 0), tmp_path_factory.mktemp("logs") / "stock.log"
    env = library.environment(MLFLOW_TRACKING_URI=library.uri)
    stock = ("models", "serve", "-m", "models:/late_loans/Production", "--env-manager", "local", "--port", str(port))
    process = start_process([sys.executable, "-m", "mlflow", *stock], log=log, env=env, cwd=log.parent)
    ours = [sys.executable, "-m", "slipway", "serve", "late_loans", "--port", "0", "--json"]
    try:
        with subprocess.Popen(ours, env=library.environment(), stdout=subprocess.PIPE, text=True) as serving:
            said = read_json(serving)
            wait_until_ready(process, f"http://{HOST}:{port}/ping", name="mlflow", log=log, timeout_s=180)
            yield said["url"], f"http://{HOST}:{port}"
            serving.send_signal(signal.SIGINT)
            assert serving.wait(timeout=120) == 0
            assert listens(port)
            assert not listens(urlsplit(said["url"]).port or 0)
    finally:
        stop_process(process)


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0


def ask(url: str, path: str, body: str | None = None, kind: str = JSON) -> tuple[int, str, bytes]:
    """Return status, content type and bytes."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
    try:
        connection.request("POST" if body is not None else "GET", path, body, {"Content-Type": kind})
        answer = connection.getresponse()
        return answer.status, answer.getheader("Content-Type") or "", answer.read()
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("path", "body", "kind", "status"),
    [
        ("/ping", None, JSON, 200),
        ("/version", None, JSON, 200),
        ("/invocations", json.dumps({"dataframe_records": ROWS}), JSON, 200),
        ("/invocations", json.dumps({"dataframe_split": pd.DataFrame(ROWS).to_dict("split")}), JSON, 200),
        ("/invocations", json.dumps({"inputs": ROWS}), JSON, 200),
        ("/invocations", json.dumps({"dataframe_records": [{**ROWS[0], "age": 17}]}), JSON, 200),
        ("/invocations", CSV, "text/csv", 200),
        ("/invocations", json.dumps({"dataframe_records": [{"branch": "hill"}]}), JSON, 400),
        ("/invocations", "{", JSON, 400),
    ],
    ids=[
        "ping",
        "version",
        "records",
        "split",
        "inputs",
        "whole number for a double",
        "csv",
        "missing columns",
        "no json",
    ],
)
def test_slipway_serve_answers_with_the_bytes_of_mlflow_models_serve(
    urls: tuple[str, str], path: str, body: str | None, kind: str, status: int
) -> None:
    ours, stock = (ask(url, path, body, kind) for url in urls)
    assert ours[0] == status
    if status == 200:
        assert ours == stock
    else:  # MLflow's own say more than a caller should know
        assert ours[:2] == stock[:2]
        said, theirs = json.loads(ours[2]), json.loads(stock[2])
        assert said.keys() == {"error_code", "message"}
        assert said["error_code"] == theirs["error_code"]


def test_the_answer_is_the_prediction_of_the_model(library: "Library", urls: tuple[str, str]) -> None:
    model = mlflow.sklearn.load_model(f"models:/late_loans/{library.in_production('late_loans')}")
    predicted = model.predict(pd.DataFrame(ROWS)).tolist()
    status, kind, answer = ask(urls[0], "/invocations", json.dumps({"dataframe_records": ROWS}))
    assert (status, kind) == (200, JSON)
    assert json.loads(answer) == {"predictions": predicted}
    assert predicted == ["yes", "no"]


# Whatever this environment has installed, the process below finds no slipway in it.
WITHOUT_SLIPWAY = """
import json, sys, warnings
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "slipway":
            raise ModuleNotFoundError(f"no {name} here", name=name)
sys.meta_path.insert(0, Blocked())
try:
    import slipway
except ModuleNotFoundError:
    pass
else:
    sys.exit("slipway could be imported")
warnings.simplefilter("ignore")
import mlflow, pandas
rows = pandas.DataFrame(json.loads(sys.argv[1]))
answers = {}
for name in sys.argv[2:]:
    model = mlflow.pyfunc.load_model(f"models:/{name}/Production")
    answers[name] = list(model.predict(rows[model.metadata.get_input_schema().input_names()]).tolist())
assert not [name for name in sys.modules if name.partition(".")[0] == "slipway"]
print(json.dumps(answers))
"""


def test_stock_mlflow_loads_a_version_where_slipway_is_not_installed(library: "Library", tmp_path: Path) -> None:
    names = ["late_loans", "own_pipeline"]
    for name in names:
        library.in_production(name)
    rows = json.dumps([{**ROWS[0], "age": 17.0}, {**ROWS[1], "age": 60.0}])  # the model declares a double
    command = [sys.executable, "-c", WITHOUT_SLIPWAY, rows, *names]
    env = library.environment(MLFLOW_TRACKING_URI=library.uri)
    done = subprocess.run(command, env=env, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"late_loans": ["yes", "no"], "own_pipeline": [1, 0]}


def test_the_functions_of_a_pipeline_travel_with_the_model_and_only_the_declared_are_trusted(
    library: "Library", tmp_path: Path
) -> None:
    number = library.in_production("own_pipeline")
    files = Path(mlflow.artifacts.download_artifacts(f"models:/own_pipeline/{number}", dst_path=str(tmp_path)))
    assert (files / "code" / "features.py").read_text() == library.spec("own_pipeline").with_name(
        "features.py"
    ).read_text()
    asked = tmp_path / "asked.csv"
    asked.write_text("pages,age,late_before\n812,17,4\n")
    assert library.done("score", "own_pipeline", asked, tmp_path / "scored.csv")["rows"] == 1

    # Where the experiment is not, nothing says that its function may be loaded, until the operator does.
    away = tmp_path / "away"
    (away / "experiments").mkdir(parents=True)
    words = ("--project", away, "score", "own_pipeline", asked, tmp_path / "again.csv")
    refused = library.slipway(*words)
    assert refused.code == 1
    assert "features.per_page" in refused.err
    assert not (tmp_path / "again.csv").exists()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SLIPWAY_TRUSTED_TYPES", "features.per_page")
        assert library.slipway(*words).code == 0


def test_a_model_whose_bytes_were_changed_is_refused_everywhere(library: "Library", tmp_path: Path) -> None:
    name, number = library.registered("changed", of="late_loans", live=True), 1
    asked = tmp_path / "asked.csv"
    pd.DataFrame(ROWS).to_csv(asked, index=False)
    assert library.slipway("score", name, asked, tmp_path / "before.csv").code == 0
    source = library.client.get_model_version(name, str(number)).source.removeprefix("models:/")
    (stored,) = (library.home / "artifacts").rglob(f"{source}/artifacts/model.skops")
    content = bytearray(stored.read_bytes())
    content[len(content) // 2] ^= 1
    stored.write_bytes(content)

    for words in (
        ("serve", name, "--port", 0),
        ("score", name, asked, tmp_path / "after.csv"),
        ("archive", name, number),
        ("promote", name, number, "Staging"),
    ):
        said = library.slipway(*words)
        if words[0] == "archive":
            assert said.code == 0, said.err
            continue
        assert (said.code, said.out) == (1, ""), said.err
        assert f"the model of {name} version {number} is not what was registered: its bytes changed" in said.err
    assert not (tmp_path / "after.csv").exists()
    assert library.stages(name) == {number: "Archived"}


PICKLE = "serialization_format is 'cloudpickle'; allowed is 'skops', as a pickle can run any code"


class Pickled:
    """What a stranger may put into a registry: unpickling it runs code of their choosing."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (os.environ["STRANGER"],)


@pytest.fixture
def stranger(library: "Library", tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, int, Path]:
    """A pickle in Production under a name of ours, with the digest of its own bytes: name, version, what it would make."""
    made = tmp_path / "it ran"
    monkeypatch.setenv("STRANGER", str(made))
    name, number = library.registered(f"stranger_{tmp_path.name[-12:]}", of="late_loans", live=True), 1
    live = library.client.get_model_version(name, str(number))
    run_id = library.client.create_run(library.client.get_run(live.run_id).info.experiment_id).info.run_id
    sound = Path(mlflow.artifacts.download_artifacts(f"models:/{name}/{number}", dst_path=str(tmp_path / "sound")))
    forged = tmp_path / "forged"
    shutil.copytree(sound, forged, ignore=shutil.ignore_patterns("registered_model_meta"))
    import cloudpickle

    (forged / "model.skops").write_bytes(cloudpickle.dumps(Pickled()))
    text = (forged / "MLmodel").read_text()
    assert "serialization_format: skops" in text
    (forged / "MLmodel").write_text(text.replace("serialization_format: skops", "serialization_format: cloudpickle"))
    library.client.log_artifacts(run_id, str(forged), "forged")
    version = library.past.create_model_version(
        name,
        f"{library.client.get_run(run_id).info.artifact_uri}/forged",
        live.run_id,
        tags={**live.tags, "slipway.artifact_digest": artifact_digest(forged)},
    )
    with pytest.warns(FutureWarning):
        library.past.transition_model_version_stage(name, version.version, "Production", True)
    return name, int(version.version), made


def test_a_pickle_in_production_is_refused_even_with_the_right_digest(
    library: "Library", stranger: tuple[str, int, Path], tmp_path: Path
) -> None:
    name, number, made = stranger
    asked = tmp_path / "asked.csv"
    pd.DataFrame(ROWS).to_csv(asked, index=False)

    def refused(why: str, *words: object) -> None:
        said = library.slipway(*words)
        assert (said.code, said.out) == (1, ""), said.err
        assert why in said.err

    refused(PICKLE, "serve", name, "--port", 0)
    refused(PICKLE, "score", name, asked, tmp_path / "scored.csv")
    assert library.stages(name)[number] == "Production"
    said = library.slipway(
        "promote", name, 1, "Production", "--force"
    )  # the stranger says that it answers as version 1
    assert said.code == 1
    assert f"version {number} in Production could not be compared" in said.err
    assert library.done("rollback", name)["version"] == 1  # though nothing of ours moved the stranger in
    refused(PICKLE, "promote", name, number, "Staging")
    assert not made.exists()


def test_a_model_that_another_tool_logged_is_refused_with_the_way_out(library: "Library", tmp_path: Path) -> None:
    from sklearn.dummy import DummyClassifier

    name = library.vary("late_loans", "logged_elsewhere")
    rows = pd.DataFrame(ROWS)
    model = DummyClassifier(strategy="constant", constant="yes").fit(rows, ["yes", "no"])
    with mlflow.start_run(experiment_id=library.client.create_experiment(name)):
        logged = mlflow.sklearn.log_model(
            model, name="model", serialization_format="cloudpickle", pip_requirements=[], registered_model_name=name
        )
    number = int(logged.registered_model_version)
    with pytest.warns(FutureWarning):
        library.past.transition_model_version_stage(name, str(number), "Production")
    asked = tmp_path / "asked.csv"
    rows.to_csv(asked, index=False)
    for words in (
        ("serve", name, "--port", 0),
        ("score", name, asked, tmp_path / "scored.csv"),
        ("archive", name, number),
        ("promote", name, number, "Staging"),
    ):
        said = library.slipway(*words)
        if words[0] == "archive":
            assert said.code == 0, said.err
            continue
        assert (said.code, said.out) == (1, ""), said.err
        assert f"the model of {name} version {number} has no digest in the registry" in said.err
