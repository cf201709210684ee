"""Real processes under constant load: promotions, rollbacks, kills and broken versions lose no request."""

import http.client
import json
import os
import random
import shutil
import signal
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import psutil
import pytest
from mlflow.models import ModelSignature
from mlflow.types import ColSpec, Schema
from sklearn.compose import make_column_transformer
from sklearn.linear_model import Ridge
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

sys.path.insert(0, str(Path(__file__).parent))
from constant_load import HOST, Load

from slipway.processes import child_environment
from slipway.registry.trust import artifact_digest
from slipway.serving.config import ServingConfig
from slipway.serving.generation import Wanted
from slipway.serving.listener import listen
from slipway.serving.supervisor import Supervisor
from slipway.workflows.loading import PRELOAD, Order

pytestmark = pytest.mark.slow

ROUNDS = int(os.environ.get("SOAK_ROUNDS", "10"))
VERSIONS = (1, 2, 3)
JSON, CSV = "application/json", "text/csv"
ROW = {"a": 0.5, "b": -1.25, "c": "x"}
ASKED = [(JSON, json.dumps({"dataframe_records": [ROW]}).encode())] * 7 + [(CSV, b"a,b,c\n0.5,-1.25,x\n")]
READY_S = 120.0


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Models as MLflow stores them: versions that answer about 1000, 2000 and 3000, and one that cannot be compiled."""
    base = tmp_path_factory.mktemp("versions")
    rng = np.random.default_rng(0)
    rows = pd.DataFrame({"a": rng.normal(size=200), "b": rng.normal(size=200), "c": rng.choice(["x", "y", "z"], 200)})
    inputs = [ColSpec("double", "a"), ColSpec("double", "b"), ColSpec("string", "c")]
    signature = ModelSignature(Schema(inputs), Schema([ColSpec("double")]))
    estimators = {**{str(k): Ridge() for k in VERSIONS}, "neighbours": KNeighborsRegressor()}
    for number, (name, estimator) in enumerate(estimators.items(), 1):
        encode = make_column_transformer(
            (StandardScaler(), ["a", "b"]), (OneHotEncoder(handle_unknown="ignore"), ["c"])
        )
        model = make_pipeline(encode, estimator).fit(rows, 2 * rows.a + (rows.c == "x") + 1000 * number)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            mlflow.sklearn.save_model(
                model,
                str(base / name),
                serialization_format="skops",
                skops_trusted_types=[
                    "sklearn.metrics._dist_metrics.EuclideanDistance64",
                    "sklearn.neighbors._kd_tree.KDTree",
                ],
                signature=signature,
                input_example=rows.head(3),
                pip_requirements=["scikit-learn"],
            )
    return base


@pytest.fixture(scope="session")
def expected(folders: Path) -> dict[str, list[bytes]]:
    """What each version has to answer to ASKED."""
    answers = {}
    for name in map(str, VERSIONS):
        model = mlflow.sklearn.load_model(str(folders / name))
        predicted = model.predict(pd.DataFrame([ROW])).tolist()
        answers[name] = [json.dumps({"predictions": predicted}).encode()] * len(ASKED)
    return answers


def wanted(folder: Path, version: int, digest: str | None = None) -> Wanted:
    digest = digest or artifact_digest(folder)
    order = Order("m", version, digest, folder, "http://127.0.0.1:1", ())
    return Wanted("m", version, digest, "Production", order, PRELOAD)


Start = Callable[..., tuple[Supervisor, int]]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    started: list[Supervisor] = []

    def starter(first: Wanted, **config: object) -> tuple[Supervisor, int]:
        listener = listen(HOST, 0)
        port = listener.getsockname()[1]
        env = child_environment({"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"})
        supervisor = Supervisor(ServingConfig(**{"fronts": 2, **config}), ["m"], listener, env, tmp_path / "serve.log")
        started.append(supervisor)
        supervisor.start()
        supervisor.want(first)
        supervisor.wait_until_ready(READY_S)
        return supervisor, port

    yield starter
    for supervisor in started:
        supervisor.stop()


def get(port: int, path: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(HOST, port, timeout=60)
    connection.request("GET", path)
    answer = connection.getresponse()
    try:
        return answer.status, answer.read()
    finally:
        connection.close()


def post(port: int, body: bytes, kind: str = JSON) -> tuple[int, str, bytes]:
    connection = http.client.HTTPConnection(HOST, port, timeout=60)
    connection.request("POST", "/invocations", body, {"Content-Type": kind})
    answer = connection.getresponse()
    try:
        return answer.status, answer.getheader("X-Slipway-Version") or "", answer.read()
    finally:
        connection.close()


def live(port: int, version: str, within_s: float = 60.0) -> float:
    """Wait until a version answers and return how long that took."""
    began = time.monotonic()
    while post(port, ASKED[0][1])[1] != version:
        assert time.monotonic() - began < within_s, f"version {version} is not live"
        time.sleep(0.01)
    return time.monotonic() - began


def children(supervisor: Supervisor) -> list[psutil.Process]:
    return psutil.Process(supervisor._nursery._process.pid).children(recursive=True)


def fronts(supervisor: Supervisor) -> list[int]:
    return [child.pid for child in supervisor._fronts.values()]


def backs(supervisor: Supervisor) -> list[int]:
    return [back.child.pid for back in supervisor._current["m"].backs if back.child]


def test_promotions_and_rollbacks_lose_no_request_whatever_dies(
    start: Start, folders: Path, expected: dict[str, list[bytes]], tmp_path: Path, record_property: Callable[..., None]
) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(folders / "1", broken)
    (broken / "model.skops").write_bytes(b"this is no model")
    random.seed(13)
    before = wanted(folders / "1", 1)
    supervisor, port = start(before, keep_warm_s=1000.0)
    promoted, rolled_back = [], []
    with Load(port, ASKED, expected) as load:
        for number in range(ROUNDS):
            kind = number % 4
            if kind == 1:
                os.kill(random.choice(backs(supervisor)), signal.SIGKILL)
            if kind == 2:
                os.kill(random.choice(fronts(supervisor)), signal.SIGKILL)
            if kind == 3:
                supervisor.want(wanted(broken, 90 + number), True)
            target = VERSIONS[(number + 1) % len(VERSIONS)]
            # A digest of its own makes it a version that was never loaded before.
            fresh = tmp_path / f"{number}"
            shutil.copytree(folders / str(target), fresh)
            (fresh / "round").write_text(str(number))
            new = wanted(fresh, target)
            supervisor.want(new)
            promoted.append(live(port, str(target)))
            supervisor.want(before)
            rolled_back.append(live(port, str(before.version)))
            supervisor.want(new)
            live(port, str(target))
            before = new
    assert load.failed == []
    assert set(load.answered) == {"1", "2", "3"}
    assert sum(load.answered.values()) > 100 * ROUNDS
    print(
        f"\n{sum(load.answered.values())} answers, {load.sent_again} sent again, longest {load.longest_s:.2f} s, "
        f"promotion live {np.median(promoted):.2f} s (at most {max(promoted):.2f}), "
        f"rollback {np.median(rolled_back):.3f} s (at most {max(rolled_back):.3f})"
    )
