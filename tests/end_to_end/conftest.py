"""One server and one outsider's project for all journeys: a town library that wants to know which loans come back late.

What is here was written as a reader of the README would write it: a table of their own, an experiment.yaml, no touch of `src/`.
"""

import contextlib
import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from unittest import mock

import mlflow
import numpy as np
import pandas as pd
import pytest
from mlflow import MlflowClient
from mlflow.entities import LoggedModelOutput, Metric, Param, Run
from tests.helpers.sharing import SharedServer, Sharing

from slipway.cli import main
from slipway.processes import child_environment, free_port, local_url, start_process, stop_process, wait_until_ready
from slipway.settings import Settings
from slipway.workflows.platform import down, up
from slipway.workflows.project import declared

ROWS = 1500
FROM_MLFLOW = ("Operation with range:DeprecationWarning", ".*Any type hint is inferred:UserWarning")
FROM_ITS_STORE = "The ``noload`` loader strategy:sqlalchemy.exc.SADeprecationWarning"

LOANS = """
name: late_loans
scope:
  goal: Say when a book is lent whether it will come back late.
  decision: A reminder is sent to those who are likely to forget.
  owner: desk@library.example
task: binary
data:
  source: {csv: ../../loans.csv}
  target: late
  positive: "yes"
  id: loan
  time: lent_on
  columns:
    lent_on: {type: datetime}
    branch: {type: category, values: [harbour, hill, mill], known: the desk}
    genre: {type: category, known: the catalogue}
    pages: {type: int, min: 1, known: the catalogue}
    age: {type: int, nulls: 0.1, min: 5, max: 110, known: the reader's card}
    late_before: {type: int, min: 0, known: the reader's account}
    student: {type: bool, known: the reader's card}
    days_kept: {type: float, feature: false}
    late: {type: category, values: ["no", "yes"]}
  sla: {min_rows: 1000}
split: {method: time, validation: 0.2, test: 0.25}
search:
  metric: roc_auc
  trials: 3
  candidates:
    stump:
      estimator: sklearn.tree.DecisionTreeClassifier
      params: {max_depth: 2}
      space:
        min_samples_leaf: {int: [20, 60]}
gates:
  thresholds: {roc_auc: 0.6}
  beats_baseline: {margin: 0.02}
  not_worse_than_champion: {margin: 0.02}
"""

# Two arms, so that the space is conditional.
GENRES = """
name: next_genre
scope: {goal: "Guess the genre of a reader's next book.", owner: desk@library.example}
task: multiclass
data:
  source: {csv: ../../loans.csv}
  target: genre
  id: loan
  columns:
    genre: {type: category}
    branch: {type: category}
    pages: {type: int}
    late_before: {type: int}
split: {method: random}
search:
  metric: accuracy
  trials: 4
  candidates:
    nearest:
      estimator: sklearn.neighbors.KNeighborsClassifier
      space: {n_neighbors: {choice: [5, 15]}}
    linear:
      estimator: sklearn.linear_model.LogisticRegression
      space: {C: {log_uniform: [0.01, 10]}}
gates: {thresholds: {accuracy: 0.4}}
"""

DAYS = """
name: days_kept
scope: {goal: Say for how many days a book is kept., owner: desk@library.example}
task: regression
data:
  source: {parquet: loans.parquet}
  target: days_kept
  columns:
    days_kept: {type: float, min: 0}
    branch: {type: category}
    pages: {type: int}
    age: {type: int, nulls: 0.1}
    late_before: {type: int}
split: {method: group, group: branch}
search:
  metric: mae
  trials: 2
  candidates:
    ridge:
      estimator: sklearn.linear_model.Ridge
      space: {alpha: {log_uniform: [0.1, 10]}}
gates: {thresholds: {mae: 20}}
"""

# A pipeline of the reader's own: its function has to travel with the model.
READERS = """
name: own_pipeline
scope: {goal: "The same question, asked with features of our own.", owner: desk@library.example}
task: binary
data:
  source: {function: "features:load"}
  target: late
  columns:
    pages: {type: int}
    age: {type: int, nulls: 0.1}
    late_before: {type: int}
    late: {type: int, values: [0, 1]}
split: {method: random}
baseline: {rule: "features:was_late_before"}
search:
  metric: roc_auc
  trials: 2
  trusted_types: [features.per_page]
  candidates:
    ours:
      pipeline: "features:make"
      space: {strength: {log_uniform: [0.1, 10]}}
gates: {thresholds: {roc_auc: 0.6}}
"""

FEATURES = """
from pathlib import Path

import pandas as pd
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler


def load():
    loans = pd.read_csv(Path(__file__).parents[2] / "loans.csv")
    return loans.assign(late=(loans["late"] == "yes").astype(int))


def per_page(rows):
    return rows.assign(late_per_100_pages=100 * rows["late_before"] / rows["pages"])


def make(strength):
    return make_pipeline(
        FunctionTransformer(per_page), SimpleImputer(), StandardScaler(), LogisticRegression(C=strength)
    )


def was_late_before(train, rows):
    return (rows["late_before"] > train["late_before"].median()).astype(int)
"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark all of this folder slow, and forgive MLflow what it asks of pandas."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.slow)
            for warning in FROM_MLFLOW:
                item.add_marker(pytest.mark.filterwarnings(f"ignore:{warning}:mlflow"))
            item.add_marker(pytest.mark.filterwarnings(f"ignore:{FROM_ITS_STORE}"))


@pytest.fixture(autouse=True)
def _speaks_to_its_own_server(request: pytest.FixtureRequest) -> None:
    """Other tests of this process may have left MLflow speaking to a server of theirs that is gone.

    The environment is left as it was: MLflow writes into it, and a command would find a server there that it was not told of.
    """
    if "library" in request.fixturenames:
        uri = request.getfixturevalue("library").uri
        with mock.patch.dict(os.environ):
            mlflow.set_tracking_uri(uri)
            mlflow.set_registry_uri(uri)


@dataclass(frozen=True)
class Said:
    """What a command ended with."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass(frozen=True)
class Library:
    """The project, the address of its server, a client of that, and what it was started with."""

    project: Path
    home: Path
    uri: str
    client: MlflowClient
    settings: Settings
    sharing: Sharing

    def slipway(self, *words: object) -> Said:
        """Run a command in this process, which saves seconds of imports each time.

        MLflow writes the server it talks to into the environment; the next command has to find it anew.
        """
        out, err = io.StringIO(), io.StringIO()
        with mock.patch.dict(os.environ):
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                code = main([str(word) for word in words])
            mlflow.set_tracking_uri(self.uri)
        return Said(code, out.getvalue(), err.getvalue())

    def done(self, *words: object) -> Any:
        """Run a command with --json that has to succeed and return what it printed."""
        said = self.slipway(*words, "--json")
        assert said.code == 0, said.err
        return said.json

    def spec(self, name: str) -> Path:
        return self.project / "experiments" / name / "experiment.yaml"

    def vary(self, name: str, new: str, *edits: tuple[str, str]) -> str:
        """Copy an experiment under a new name with some of its text replaced; return the new name."""
        shutil.copytree(self.spec(name).parent, self.spec(new).parent)
        self.edit(new, (f"name: {name}", f"name: {new}"), *edits)
        return new

    def edit(self, name: str, *edits: tuple[str, str]) -> None:
        text = self.spec(name).read_text()
        for old, replacement in edits:
            assert old in text, old
            text = text.replace(old, replacement)
        self.spec(name).write_text(text)

    def environment(self, **more: str) -> dict[str, str]:
        """The environment of a separate process that is to find the server."""
        given = {"SLIPWAY_HOME": str(self.home), "PYTHONFAULTHANDLER": "1", **more}
        return child_environment(given, without=("MLFLOW_", "SLIPWAY_", "PYTEST_"))

    @cached_property
    def past(self) -> MlflowClient:
        """A client on the database itself: what somebody does past the server, and past its guard."""
        return MlflowClient(self.store, self.store)

    @property
    def store(self) -> str:
        """The database's address, with the driver and the password."""
        backend = self.settings.backend
        return backend.replace("ql:", "ql+psycopg2:", 1) if backend else f"sqlite:///{self.home}/mlflow.db"

    def runs(self, name: str, kind: str = "") -> list[Any]:
        """The runs of an experiment, oldest first."""
        experiment = self.client.get_experiment_by_name(name)
        if experiment is None:
            return []
        wanted = f"tags.`slipway.kind` = '{kind}'" if kind else ""
        return list(self.client.search_runs([experiment.experiment_id], wanted, order_by=["attributes.start_time ASC"]))

    def stages(self, name: str) -> dict[int, str]:
        return {int(v.version): v.current_stage for v in self.client.search_model_versions(f"name = '{name}'")}

    def in_production(self, name: str) -> int:
        """Return the version in Production; where there is none, train one and put it there, once for all test processes."""
        with self.sharing.lock(f"{self.uri.rpartition(':')[2]}-{name}"):
            live = [version for version, stage in self.stages(name).items() if stage == "Production"]
            if live:
                return live[0]
            version = int(self.done("run", name)["version"])
            self.done("promote", name, version, "Production")
            return version

    def registered(self, name: str, *edits: tuple[str, str], of: str = "days_kept", live: bool = False) -> str:
        """Vary an experiment and give it version 1 without a training: what was trained of the other is registered for it too.

        For tests that need a version, whichever; edits may be of all that the model does not depend on. live: in Production.
        """
        self.vary(of, name, *edits)
        self.done("register", name, self.copied_run(name, of))
        if live:
            self.done("promote", name, 1, "Production")
        return name

    def copied_run(self, name: str, of: str) -> str:
        """Leave an experiment a finished search, a copy of the one that was trained of another, and return its id."""
        number = min(self.stages(of), default=0) or self.in_production(of)
        run = self.client.get_run(self.client.get_model_version(of, str(number)).run_id)
        spec = declared(self.settings, name)
        tags = {key: run.data.tags[key] for key in run.data.tags if key.startswith(("slipway.", "mlflow.source"))}
        tags |= {"slipway.experiment": name, "slipway.spec_digest": spec.experiment.digest, "mlflow.runName": "search"}
        tags |= {"mlflow.user": os.environ["SLIPWAY_USER"], "mlflow.note.content": run.data.tags["mlflow.note.content"]}
        found = self.client.get_experiment_by_name(name)
        experiment = found.experiment_id if found else self.client.create_experiment(name)
        made = self.client.create_run(experiment, tags=tags).info.run_id
        metrics = [Metric(key, value, 0, 0) for key, value in run.data.metrics.items()]
        self.client.log_batch(made, metrics, [Param(key, value) for key, value in run.data.params.items()])
        kept = self.project.parent / "copied" / run.info.run_id
        if not kept.exists():
            kept.mkdir(parents=True)
            for path in ("evidence", "model_card.json", "plots"):
                self.client.download_artifacts(run.info.run_id, path, str(kept))
        self.client.log_artifacts(made, str(kept))
        self.client.log_text(made, spec.text, "experiment.yaml")
        self.client.log_dict(made, spec.experiment.as_dict(), "experiment.json")
        self.client.log_outputs(made, [LoggedModelOutput(self._model_of(run, experiment, made), 0)])
        with mock.patch.dict(os.environ, MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT="true"):
            self.client.set_terminated(made)
        return str(made)

    def _model_of(self, run: Run, experiment: str, made: str) -> str:
        """Return a model with files of its own: some tests alter those of their version, while others read theirs.

        Of a server with its files in a bucket, which has the tests of one process alone, it is the run's own model.
        """
        trained = str(run.outputs.model_outputs[-1].model_id)
        stored = next((self.home / "artifacts").rglob(f"{trained}/artifacts"), None)
        if stored is None:
            return trained
        model = self.client.create_logged_model(experiment, "model", source_run_id=made).model_id
        self.client.log_model_artifacts(model, str(stored))
        self.client.finalize_logged_model(model, "READY")
        return str(model)


def loans(rows: int = ROWS) -> pd.DataFrame:
    """A table of lent books; a reader who was late before is late again, the young and the readers of long books too."""
    rng = np.random.default_rng(2013)
    late_before = rng.poisson(1.5, rows)
    age = rng.integers(6, 90, rows).astype(float)
    pages = rng.integers(60, 900, rows)
    branch = rng.choice(["harbour", "hill", "mill"], rows)
    genre = np.where(
        pages > 500, "saga", np.where(late_before > 2, "crime", rng.choice(["crime", "verse", "saga"], rows))
    )
    leaning = 1.1 * (late_before - 1.5) + 0.004 * (pages - 480) - 0.03 * (age - 45) + np.where(branch == "hill", 1.2, 0)
    days = np.clip(24 + 4 * leaning + rng.normal(0, 3, rows), 1, None)
    age[rng.random(rows) < 0.05] = np.nan
    return pd.DataFrame(
        {
            "loan": [f"L{i:05d}" for i in range(rows)],
            "lent_on": pd.date_range("2024-01-02 09:00", periods=rows, freq="5h"),
            "branch": branch,
            "genre": genre,
            "pages": pages,
            "age": age,
            "late_before": late_before,
            "student": rng.random(rows) < 0.3,
            "days_kept": days.round(2),
            "late": np.where(days > 28, "yes", "no"),
        }
    )


@pytest.fixture(scope="session")
def library(
    tmp_path_factory: pytest.TempPathFactory, shared_server: Callable[..., SharedServer], sharing: Sharing
) -> Iterator[Library]:
    """A copy of the project a test process, and a server for all, which commands of this process find by SLIPWAY_HOME."""
    project, server = tmp_path_factory.mktemp("library"), shared_server("library")
    _write(project)
    with _library(Settings(project, server.home), server.uri, sharing) as library:
        yield library


@pytest.fixture(scope="module", params=[pytest.param("SQLite", marks=pytest.mark.release), "PostgreSQL and S3"])
def registry(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, migrated_database: Path, sharing: Sharing
) -> Iterator[Library]:
    """The project with a server of its own, which may be killed, on each kind of store that `slipway up` takes."""
    if request.param == "SQLite":
        project = tmp_path_factory.mktemp("alone")
        with _opened(Settings(project, project / ".slipway"), sharing, migrated_database) as library:
            yield library
        return
    postgres = request.getfixturevalue("postgres")
    s3 = request.getfixturevalue("s3") if "S3" in request.param else None
    project = tmp_path_factory.mktemp("team")
    bucket = f"s3://{s3()}/models" if s3 else None
    settings = Settings(project, project / ".slipway", backend=postgres(migrated=True), artifacts=bucket)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (s3.environment if s3 else {}).items():
            patch.setenv(name, value)
        with _opened(settings, sharing) as library:
            yield library


@contextlib.contextmanager
def _opened(settings: Settings, sharing: Sharing, migrated: Path | None = None) -> Iterator[Library]:
    """Write the project and start its server, which commands of this process find by SLIPWAY_HOME until the end."""
    settings.home.mkdir()
    if migrated:
        shutil.copy(migrated, settings.home / "mlflow.db")
    _write(settings.project)
    uri = up(settings, port=0).server.uri
    try:
        with _library(settings, uri, sharing) as library:
            yield library
    finally:
        down(settings)


def _write(project: Path) -> None:
    """Write the project, the same to the last byte and to its commit each time."""
    for name, text in (("late_loans", LOANS), ("next_genre", GENRES), ("days_kept", DAYS), ("own_pipeline", READERS)):
        folder = project / "experiments" / name
        folder.mkdir(parents=True)
        (folder / "experiment.yaml").write_text(text.lstrip())
    (project / "experiments" / "own_pipeline" / "features.py").write_text(FEATURES.lstrip())
    shutil.copy(Path(__file__).parents[2] / "requirements.lock", project)
    table = loans()
    table.to_csv(project / "loans.csv", index=False)
    table.to_parquet(project / "experiments" / "days_kept" / "loans.parquet", index=False)
    _commit(project)


@contextlib.contextmanager
def _library(settings: Settings, uri: str, sharing: Sharing) -> Iterator[Library]:
    with pytest.MonkeyPatch.context() as patch:
        known = (
            "MLFLOW_TRACKING_URI",
            "MLFLOW_RUN_ID",
            "SLIPWAY_TRUSTED_TYPES",
            "SLIPWAY_BACKEND",
            "SLIPWAY_ARTIFACTS",
        )
        for name in known:
            patch.delenv(name, raising=False)
        patch.setenv("SLIPWAY_HOME", str(settings.home))
        patch.setenv("SLIPWAY_USER", "reviewer")
        patch.chdir(settings.project)
        yield Library(settings.project, settings.home, uri, MlflowClient(uri, uri), settings, sharing)


@pytest.fixture(scope="module")
def plain(library: Library) -> Iterator[str]:
    """The address of a plain MLflow server on the same database: there, a command is its own registrar."""
    port = free_port("127.0.0.1", 0)
    uri, log = local_url("127.0.0.1", port), library.home / "logs" / "plain.log"
    stores = (
        "--backend-store-uri",
        "sqlite:///mlflow.db",
        "--artifacts-destination",
        "./artifacts",
        "--serve-artifacts",
    )
    command = [sys.executable, "-m", "mlflow", "server", *stores, "--port", str(port), "--workers", "1"]
    quieter = child_environment({"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}, without=("MLFLOW_", "_MLFLOW_"))
    process = start_process(command, log=log, env=quieter, cwd=library.home)
    try:
        wait_until_ready(process, f"{uri}/health", name="plain MLflow", log=log, timeout_s=180)
        yield uri
    finally:
        stop_process(process)


def _commit(project: Path) -> None:
    (project / ".gitignore").write_text(".slipway/\n")
    me = ("-c", "user.name=reader", "-c", "user.email=reader@library.example")
    at = {"GIT_AUTHOR_DATE": "2026-01-02T09:00:00Z", "GIT_COMMITTER_DATE": "2026-01-02T09:00:00Z"}
    for words in (("init", "--quiet"), ("add", "."), (*me, "commit", "--quiet", "--message", "Our loans")):
        subprocess.run(["git", *words], cwd=project, check=True, env={**os.environ, **at})
