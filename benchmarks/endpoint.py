"""Slipway's endpoint beside `mlflow models serve`: one pipeline, one row and many, few clients and many. See README.md."""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import psutil
from mlflow.models import infer_signature
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from machine import end_in_order, machine, table, write_results
from slipway.processes import child_environment, free_port, local_url, start_process, stop_process, wait_until_ready
from slipway.registry.trust import artifact_digest, types_to_trust
from slipway.serving.config import ServingConfig
from slipway.serving.generation import Wanted
from slipway.serving.listener import listen
from slipway.serving.supervisor import Supervisor
from slipway.workflows.loading import PRELOAD, Order

HOST = "127.0.0.1"
NUMBERS, TEXTS = [f"number_{i}" for i in range(8)], [f"text_{i}" for i in range(6)]
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")
MODELS = {
    "boosting": HistGradientBoostingClassifier(max_iter=100, early_stopping=False, random_state=0),
    "logistic": LogisticRegression(max_iter=1000),
}


@dataclass(frozen=True)
class Server:
    """What answers at a port, and the processes that it consists of."""

    name: str
    workers: int
    port: int
    root: psutil.Process

    def cpu_s(self) -> float:
        """CPU seconds of all its processes so far."""
        family = [self.root, *self.root.children(recursive=True)]
        return sum(process.cpu_times().user + process.cpu_times().system for process in family)


def main() -> None:
    args = arguments()
    end_in_order()
    on = machine()
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        for model in args.models:
            files = fitted(model, Path(folder) / model)
            for workers in args.workers:
                with slipway(files, workers, Path(folder)) as ours, stock(files, workers, Path(folder)) as theirs:
                    rows += measure(model, [ours, theirs], args)
    settings = {"rounds": args.rounds, "seconds": args.seconds, "columns": len(NUMBERS + TEXTS)}
    print(report(rows))
    print(f"written to {write_results('endpoint', settings, on, rows)}")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="measurements of each server in turn; the median counts")
    parser.add_argument("--seconds", type=float, default=4.0, help="length of one measurement")
    parser.add_argument("--models", nargs="+", choices=list(MODELS), default=list(MODELS))
    parser.add_argument("--workers", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--rows", nargs="+", type=int, default=[1, 1000])
    parser.add_argument("--clients", nargs="+", type=int, default=[1, 16])
    return parser.parse_args()


def measure(model: str, servers: Sequence[Server], args: argparse.Namespace) -> list[dict[str, Any]]:
    """Ask each server in turn, in every combination; the median of each number over the rounds."""
    found = []
    for size in args.rows:
        body = json.dumps({"dataframe_records": frame(size, seed=1).to_dict(orient="records")}).encode()
        for clients in args.clients:
            rounds: dict[str, list[dict[str, float]]] = {server.name: [] for server in servers}
            for number in range(args.rounds + 1):
                for server in servers:
                    seconds = args.seconds if number else 1.0  # the first warms
                    one = load(server, body, clients, seconds)
                    if number:
                        rounds[server.name].append(one)
            for server in servers:
                medians = {key: statistics.median(one[key] for one in rounds[server.name]) for key in one}
                place = {
                    "server": server.name,
                    "model": model,
                    "rows": size,
                    "clients": clients,
                    "workers": server.workers,
                }
                found.append(place | {key: round(value, 4) for key, value in medians.items()})
                print(f"  {found[-1]}", file=sys.stderr, flush=True)
    return found


def load(server: Server, body: bytes, clients: int, seconds: float) -> dict[str, float]:
    before = server.cpu_s()
    command = [
        sys.executable,
        str(Path(__file__).with_name("closed_loop.py")),
        HOST,
        str(server.port),
        str(clients),
        str(seconds),
    ]
    said = json.loads(subprocess.run(command, input=body, capture_output=True, check=True).stdout)
    if said["failed"]:
        sys.exit(f"{server.name} did not answer {said['failed']} of {said['requests']} requests with 200")
    return {
        "rps": said["requests"] / said["seconds"],
        "p50_ms": said["p50_ms"],
        "p99_ms": said["p99_ms"],
        "cpu_ms": (server.cpu_s() - before) * 1000 / said["requests"],
        "client_load": said["cpu_s"] / said["seconds"],
    }


@contextmanager
def slipway(files: Path, workers: int, folder: Path) -> Iterator[Server]:
    """Slipway's endpoint with all its guards on, an API key aside, which the client would have to send."""
    before = {process.pid for process in psutil.Process().children()}
    config = ServingConfig(fronts=workers)
    with listen(HOST, 0) as listener:
        port = listener.getsockname()[1]
        supervisor = Supervisor(config, ["bench"], listener, child_environment(ONE_THREAD), folder / "slipway.log")
        order = Order("bench", 1, artifact_digest(files), files, "", ())
        supervisor.want(Wanted("bench", 1, order.digest or "", "Production", order, PRELOAD))
        supervisor.start()
        try:
            supervisor.wait_until_ready(60)
            mine = next(process for process in psutil.Process().children() if process.pid not in before)
            yield Server("slipway", workers, port, mine)
        finally:
            supervisor.stop()


@contextmanager
def stock(files: Path, workers: int, folder: Path) -> Iterator[Server]:
    """`mlflow models serve`, as it is."""
    port, log = free_port(HOST, 0), folder / "mlflow.log"
    command = [
        *(sys.executable, "-m", "mlflow", "models", "serve", "-m", str(files), "--env-manager", "local"),
        *("--host", HOST, "--port", str(port), "--workers", str(workers)),
    ]
    quiet = {"UVICORN_ACCESS_LOG": "false"}
    process = start_process(command, log=log, env=child_environment(ONE_THREAD | quiet))
    try:
        wait_until_ready(process, f"{local_url(HOST, port)}/ping", name="mlflow", log=log, timeout_s=120)
        yield Server("mlflow", workers, port, psutil.Process(process.pid))
    finally:
        stop_process(process)


def frame(rows: int, seed: int) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    numbers = {name: random.normal(size=rows) for name in NUMBERS}
    texts = {name: random.choice([f"category {i}" for i in range(4 + 4 * at)], rows) for at, name in enumerate(TEXTS)}
    return pd.DataFrame(numbers | texts)


def fitted(model: str, files: Path) -> Path:
    """Fit a pipeline and store it as MLflow does; return the folder."""
    rows = frame(5000, seed=0)
    score = rows[NUMBERS[0]] + rows[NUMBERS[1]] * rows[NUMBERS[2]] + (rows[TEXTS[0]] == "category 1")
    encode = ColumnTransformer(
        [
            ("numbers", StandardScaler(), NUMBERS),
            ("texts", OneHotEncoder(handle_unknown="ignore", sparse_output=False), TEXTS),
        ]
    )
    pipeline = make_pipeline(encode, MODELS[model]).fit(rows, (score > score.median()).astype(int))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        mlflow.sklearn.save_model(
            pipeline,
            files,
            signature=infer_signature(rows, pipeline.predict(rows)),
            input_example=rows.head(5),
            pip_requirements=["scikit-learn"],
            serialization_format="skops",
            skops_trusted_types=types_to_trust(pipeline, ()),
        )
    return files


def report(rows: Sequence[dict[str, Any]]) -> str:
    header = ["model", "rows", "clients", "workers", "server", "req/s", "p50 ms", "p99 ms", "CPU ms", "times MLflow"]
    key = ("model", "rows", "clients", "workers")
    theirs = {tuple(row[name] for name in key): row["rps"] for row in rows if row["server"] == "mlflow"}
    lines = [
        [
            *(str(row[name]) for name in (*key, "server")),
            f"{row['rps']:,.0f}",
            *(f"{row[name]:.3f}" for name in ("p50_ms", "p99_ms", "cpu_ms")),
            f"{row['rps'] / theirs[tuple(row[name] for name in key)]:.1f}",
        ]
        for row in rows
    ]
    return table(header, lines)


if __name__ == "__main__":
    main()
