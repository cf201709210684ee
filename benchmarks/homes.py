"""Homes with few and with many registered models, all copies of one that was made by one short training."""

import contextlib
import io
import json
import shutil
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import psutil
from mlflow import MlflowClient

from slipway.cli import main as slipway
from slipway.processes import child_environment
from slipway.registry.stages import move
from slipway.registry.versions import create_version, get_version
from slipway.tracking.server import start_server, stop_server
from slipway.types import Stage

NAME = "bench"
ROWS = 2000
LOCK = Path(__file__).parents[1] / "requirements.lock"
EXPERIMENT = f"""
name: {NAME}
scope: {{goal: Say which rows are late., decision: They are looked at first., owner: bench@example.org}}
task: binary
data:
  source: {{csv: rows.csv}}
  target: late
  columns:
    late: {{type: int}}
    minutes: {{type: float}}
    miles: {{type: float}}
    port: {{type: category}}
split: {{method: random}}
search:
  metric: roc_auc
  candidates:
    logistic:
      estimator: sklearn.linear_model.LogisticRegression
      space: {{C: {{log_uniform: [0.01, 10]}}}}
gates:
  thresholds: {{roc_auc: 0.6}}
  beats_baseline: {{margin: 0.01}}
  not_worse_than_champion: {{margin: 0.02}}
"""


@dataclass(frozen=True)
class Home:
    """A home whose server is up, two copies of it whose servers are not, and a folder that commands write to.

    run_id: of a finished search, whose version may be deleted and registered again. server: its process.
    """

    models: int
    project: Path
    folder: Path
    idle: Path
    secured: Path
    written: Path
    run_id: str
    server: int

    @property
    def client(self) -> MlflowClient:
        """A client past the server, which guards its registry."""
        return _client(self.folder)

    def environment(self, folder: Path, **more: str) -> dict[str, str]:
        """Return what a command sees that is to work on one of the folders."""
        return child_environment({"SLIPWAY_HOME": str(folder), **more}, without=("MLFLOW_", "SLIPWAY_"))

    def stop(self) -> None:
        for each in (self.folder, self.idle, self.secured):
            stop_server(each)


def cpu_s(pid: int) -> float:
    """Return the CPU seconds of a process and of its children, those that have ended too."""
    with contextlib.suppress(psutil.NoSuchProcess):
        process, total = psutil.Process(pid), 0.0
        for each in (process, *process.children(recursive=True)):
            with contextlib.suppress(psutil.NoSuchProcess):
                total += sum(each.cpu_times()[:4])
        return total
    return 0.0


def make_first(folder: Path) -> tuple[Path, str]:
    """Write a project and train three versions in the home `folder/first`; return the project and the run of the last one.

    The first version is in Production, and a service has captured a request.
    """
    project, first = _project(folder), folder / "first"
    uri = start_server(first, port=0).uri
    try:
        runs = [json.loads(_quietly(project, uri, "run", NAME, "--trials", "2", "--json")) for _ in range(3)]
        _quietly(project, uri, "promote", NAME, "1", "Production")
        env = child_environment({"SLIPWAY_HOME": str(first)}, without=("MLFLOW_", "SLIPWAY_"))
        words = ["slipway", "serve", NAME, "--port", "0", "--capture", "--json", "--project", str(project)]
        with serving([sys.executable, "-m", *words], env, folder / "serving.log") as (_, url):
            ask(url)
    finally:
        stop_server(first)
    return project, str(runs[-1]["run_id"])


def copy_home(folder: Path, project: Path, run_id: str, models: int) -> Home:
    """Copy the first home, register other models in the copy until there are so many, and start its server."""
    home, idle, secured, written = (folder / f"{kind}-{models}" for kind in ("home", "idle", "secured", "written"))
    shutil.copytree(folder / "first", home)
    _register_others(_client(home), models)
    for copy in (idle, secured):
        shutil.copytree(home, copy)
    written.mkdir()
    return Home(models, project, home, idle, secured, written, run_id, start_server(home, port=0).pid)


@contextlib.contextmanager
def serving(words: Sequence[str], env: Mapping[str, str], log: Path) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """Start a `slipway serve --json`; yield its process and its URL once it answers, and stop it."""
    with log.open("w", encoding="utf-8") as said:
        process = subprocess.Popen(words, env=env, stdout=subprocess.PIPE, stderr=said, text=True)
    try:
        yield process, _url(process, log)
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def ask(url: str) -> bytes:
    """Ask a service of the model for one row."""
    body = json.dumps({"dataframe_records": [{"minutes": 0.5, "miles": -1.0, "port": "a"}]}).encode()
    request = urllib.request.Request(f"{url}/invocations", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return bytes(answer.read())


def _url(process: "subprocess.Popen[str]", log: Path) -> str:
    text = ""
    for line in process.stdout or ():
        text += line
        if line == "}\n":
            return str(json.loads(text)["url"])
    raise RuntimeError(f"it ended before it answered: {text}{log.read_text(encoding='utf-8')[-2000:]}")


def _project(folder: Path) -> Path:
    project = folder / "project"
    experiment = project / "experiments" / NAME
    experiment.mkdir(parents=True)
    (experiment / "experiment.yaml").write_text(EXPERIMENT, encoding="utf-8")
    shutil.copyfile(LOCK, project / LOCK.name)
    rng = np.random.default_rng(0)
    minutes, miles, port = rng.normal(size=ROWS), rng.normal(size=ROWS), rng.choice(["a", "b", "c"], ROWS)
    late = (minutes + 0.5 * miles + (port == "a") + rng.normal(size=ROWS) > 0.5).astype(int)
    table = pd.DataFrame({"late": late, "minutes": minutes, "miles": miles, "port": port})
    table.to_csv(experiment / "rows.csv", index=False)
    table.drop(columns="late").to_csv(project / "new.csv", index=False)
    return project


def _quietly(project: Path, uri: str, *words: str) -> str:
    printed, said = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(said):
        code = slipway([*words, "--project", str(project), "--tracking-uri", uri])
    if code:
        sys.exit(f"slipway {' '.join(words)} failed:\n{said.getvalue()}")
    return printed.getvalue()


def _client(home: Path) -> MlflowClient:
    uri = f"sqlite:///{home}/mlflow.db"
    mlflow.set_tracking_uri(uri)  # where the store itself looks for the model of a version
    return MlflowClient(uri, uri)


def _register_others(client: MlflowClient, models: int) -> None:
    """Register copies of version 1 under other names, each in Production, with an experiment and an empty ledger of its own."""
    version = get_version(client, NAME, 1)
    for number in range(2, models + 1):
        name = f"{NAME}_{number:03d}"
        for experiment in (name, f"{name}/promotions"):
            client.create_experiment(experiment, f"mlflow-artifacts:/{experiment}")
        create_version(client, name, version.source, version.run_id, dict(version.tags), "Say which rows are late.", "")
        move(client, name, 1, Stage.PRODUCTION)
