"""What 10,000 runs and 10,000 entries of a ledger cost the commands that look at them, beside about 100. See README.md."""

import argparse
import contextlib
import io
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from mlflow import MlflowClient
from mlflow.entities import Run

from crowd import crowd
from entries import HOUR_MS, fill
from machine import end_in_order, machine, table, write_results
from slipway.cli import main as slipway
from slipway.registry.versions import list_versions
from slipway.tracking.server import start_server, stop_server
from slipway.tracking.trials import trials_of

NAME, METRIC = "bench", "roc_auc"
EXPERIMENT = f"""
name: {NAME}
scope: {{goal: Say which rows are late.}}
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
  metric: {METRIC}
  executor: serial
  candidates:
    logistic:
      estimator: sklearn.linear_model.LogisticRegression
      space: {{C: {{log_uniform: [0.01, 10]}}}}
"""


@dataclass(frozen=True)
class Store:
    """A server, the runs in its experiment, as many entries in its ledger, and a search with trials that can be read."""

    project: Path
    uri: str
    client: MlflowClient
    runs: int
    search: Run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, nargs=2, default=[100, 10_000], metavar=("FEW", "MANY"))
    parser.add_argument("--repeats", type=int, default=5, help="how often each command is timed on each store")
    given = parser.parse_args()
    end_in_order()
    on = machine()
    with tempfile.TemporaryDirectory(prefix="slipway-bench-", ignore_cleanup_errors=True) as made, ExitStack() as stack:
        project = declare(Path(made))
        stores = [open_store(stack, project, Path(made) / str(runs), runs) for runs in given.runs]
        rows = [compare(what, action, stores, given.repeats) for what, action in COMMANDS.items()]
    print(report(rows, stores))
    settings = {"runs": [store.runs for store in stores], "repeats": given.repeats}
    path = write_results("scale", settings, on, rows)
    print(f"written to {path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path}")


def declare(folder: Path) -> Path:
    """Write a project with one experiment on 2,000 made-up rows; return its folder."""
    project = folder / "project"
    home = project / "experiments" / NAME
    home.mkdir(parents=True)
    (home / "experiment.yaml").write_text(EXPERIMENT, encoding="utf-8")
    rng = np.random.default_rng(0)
    minutes, miles, port = rng.normal(size=2000), rng.normal(size=2000), rng.choice(["a", "b", "c"], 2000)
    late = (minutes + 0.5 * miles + (port == "a") + rng.normal(size=2000) > 0.5).astype(int)
    pd.DataFrame({"late": late, "minutes": minutes, "miles": miles, "port": port}).to_csv(
        home / "rows.csv", index=False
    )
    return project


def open_store(stack: ExitStack, project: Path, home: Path, runs: int) -> Store:
    """Start a server and fill its experiment; a real search comes first: what the others are copies of, and a warm server."""
    print(f"  a store of {runs:,} runs …", file=sys.stderr, flush=True)
    stack.callback(stop_server, home)
    uri = start_server(home, port=0).uri
    done = json.loads(command(project, uri, "run", NAME, "--trials", "2", "--json"))
    client = MlflowClient(uri, uri)
    first = client.get_run(done["run_id"])
    trial = _newest(client, first, "tags.`slipway.kind` = 'trial'")
    crowd(home / "mlflow.db", done["run_id"], trial.info.run_id, runs)
    # Past the server, which guards its ledgers.
    MlflowClient(f"sqlite:///{home}/mlflow.db").create_experiment(f"{NAME}/promotions", "mlflow-artifacts:/promotions")
    others = [version.number for version in list_versions(client, NAME) if version.number > 1]
    fill(home / "mlflow.db", NAME, others, runs)
    verified = json.loads(command(project, uri, "history", NAME, "--verify", "--json"))
    assert verified["verified"] and verified["entries"] == runs, verified
    copy = _newest(client, first, f"tags.`slipway.kind` = 'search' and attributes.run_id != '{done['run_id']}'")
    return Store(project, uri, client, runs, copy)


def command(project: Path, uri: str, *words: str) -> str:
    """Run a command of Slipway in this process, with everything it does but starting Python; return what it prints."""
    printed, said = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(said):
        code = slipway([*words, "--project", str(project), "--tracking-uri", uri])
    if code:
        sys.exit(f"slipway {' '.join(words)} failed:\n{said.getvalue()}")
    return printed.getvalue()


def compare(what: str, action: Callable[[Store], object], stores: list[Store], repeats: int) -> dict[str, Any]:
    """Time a command on each store in turn, so that a noise of the machine falls on both."""
    print(f"  {what} …", file=sys.stderr, flush=True)
    seconds: list[list[float]] = [[] for _ in stores]
    for _ in range(repeats):
        for store, taken in zip(stores, seconds, strict=True):
            clock = time.perf_counter()
            action(store)
            taken.append(time.perf_counter() - clock)
    few, many = (round(statistics.median(taken), 4) for taken in seconds)
    each = [[round(s, 4) for s in taken] for taken in seconds]
    return {"command": what, "few_s": few, "many_s": many, "ratio": round(many / few, 3), "seconds": each}


def told_at(store: Store, age: float) -> None:
    """Ask what held the stages at a time; age: in lengths of the ledger."""
    at = datetime.fromtimestamp(time.time() - age * store.runs * HOUR_MS / 1000, UTC)
    command(store.project, store.uri, "history", NAME, "--at", f"{at:%Y-%m-%d %H:%M}")


def asked_by_a_process(store: Store) -> None:
    words = ["history", NAME, "--at", f"{datetime.now(UTC):%Y-%m-%d %H:%M}", "--project", str(store.project)]
    program = [sys.executable, "-m", "slipway", *words, "--tracking-uri", store.uri]
    subprocess.run(program, check=True, capture_output=True)


def started(store: Store) -> None:
    """What a command waits for before it asks anything of MLflow's client."""
    program = "import sys; from slipway.tracking.client import connect; connect(sys.argv[1])"
    subprocess.run([sys.executable, "-c", program, store.uri], check=True, capture_output=True)


def there_and_away(store: Store) -> None:
    command(store.project, store.uri, "promote", NAME, "1", "Staging")
    command(store.project, store.uri, "archive", NAME, "1")


COMMANDS: Mapping[str, Callable[[Store], object]] = {
    f"slipway run {NAME} --trials 2": lambda store: command(store.project, store.uri, "run", NAME, "--trials", "2"),
    f"slipway history {NAME}": lambda store: command(store.project, store.uri, "history", NAME),
    f"slipway history {NAME} --last 20": lambda store: command(
        store.project, store.uri, "history", NAME, "--last", "20"
    ),
    f"slipway history {NAME} --at NOW": lambda store: told_at(store, 0.0),
    f"slipway history {NAME} --at HALFWAY": lambda store: told_at(store, 0.5),
    f"slipway history {NAME} --at BEFORE ALL": lambda store: told_at(store, 1.1),
    f"slipway history {NAME} --verify": lambda store: command(store.project, store.uri, "history", NAME, "--verify"),
    f"slipway promote {NAME} 1 Staging, and archive": there_and_away,
    f"slipway rollback {NAME}": lambda store: command(store.project, store.uri, "rollback", NAME),
    f"slipway history {NAME} --at NOW, as a process": asked_by_a_process,
    "start of a command with MLflow's client": started,
    "leaderboard of one search": lambda store: trials_of(store.client, store.search, METRIC),
}


def report(rows: list[dict[str, Any]], stores: list[Store]) -> str:
    header = ["", *(f"{store.runs:,} runs, s" for store in stores), "ratio"]
    lines = [[row["command"], f"{row['few_s']:.3f}", f"{row['many_s']:.3f}", f"{row['ratio']:.2f}"] for row in rows]
    return table(header, lines)


def _newest(client: MlflowClient, like: Run, where: str) -> Run:
    newest_first = ["attributes.start_time DESC"]
    return client.search_runs([like.info.experiment_id], where, max_results=1, order_by=newest_first)[0]


if __name__ == "__main__":
    main()
