"""How the others are started: from their own environments, with their own commands, one native thread a worker."""

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from servers.pipelines import pickled
from servers.server import HOST, ONE_THREAD, Server
from slipway.processes import child_environment, free_port, local_url, start_process, stop_process, wait_until_ready

HERE = Path(__file__).parent
VENV = HERE.parents[1] / ".venv"
_TIMEOUT_S = 120


@dataclass(frozen=True)
class Start:
    """What a server is started with. python: of its environment. files: the model, as MLflow stores it. folder: to write in."""

    python: str
    files: Path
    port: int
    workers: int
    folder: Path


@dataclass(frozen=True)
class Rival:
    """package: the one that its version is told of. apart: whether it has an environment of its own, `.venv/bench-NAME`.

    ready: the path that says so. env: of its processes.
    """

    package: str
    command: Callable[[Start], Sequence[str]]
    ready: str = "/ping"
    apart: bool = True
    env: Mapping[str, str] = field(default_factory=dict)


def _mlflow(start: Start) -> Sequence[str]:
    where = ["--host", HOST, "--port", str(start.port), "--workers", str(start.workers)]
    return [start.python, "-m", "mlflow", "models", "serve", "-m", str(start.files), "--env-manager", "local", *where]


def _mlserver(start: Start) -> Sequence[str]:
    settings = {
        "host": HOST,
        "http_port": start.port,
        "grpc_port": free_port(HOST, 0),
        "metrics_port": free_port(HOST, 0),
        "parallel_workers": start.workers,
        "debug": False,  # no access log
    }
    model = {
        "name": "bench",
        "implementation": "mlserver_mlflow.MLflowRuntime",
        "parameters": {"uri": str(start.files)},
    }
    start.folder.mkdir(exist_ok=True)
    (start.folder / "settings.json").write_text(json.dumps(settings))
    (start.folder / "model-settings.json").write_text(json.dumps(model))
    return [str(Path(start.python).with_name("mlserver")), "start", str(start.folder)]


def _bentoml(start: Start) -> Sequence[str]:
    where = ["--working-dir", str(HERE), "--host", HOST, "--port", str(start.port)]
    return [start.python, "-m", "bentoml", "serve", "bentoml_service:Pipeline", *where]


def _litserve(start: Start) -> Sequence[str]:
    return [start.python, str(HERE / "litserve_server.py"), str(start.port), str(start.workers)]


def _fastapi(start: Start) -> Sequence[str]:
    where = ["--app-dir", str(HERE), "--host", HOST, "--port", str(start.port), "--workers", str(start.workers)]
    return [start.python, "-m", "uvicorn", "fastapi_app:app", "--no-access-log", *where]


def _nothing(start: Start) -> Sequence[str]:
    return [start.python, "-I", "-S", str(HERE / "nothing.py"), HOST, str(start.port)]


NOTHING = "nothing"
RIVALS = {
    "mlflow": Rival("mlflow", _mlflow, apart=False, env={"UVICORN_ACCESS_LOG": "false"}),
    "mlserver": Rival("mlserver", _mlserver, "/v2/health/ready"),
    "bentoml": Rival("bentoml", _bentoml, "/readyz"),
    "litserve": Rival("litserve", _litserve, "/health"),
    "fastapi": Rival("fastapi", _fastapi, apart=False),
    NOTHING: Rival("", _nothing, apart=False),
}


def python_of(name: str) -> str:
    """Return the interpreter of a rival's environment."""
    return str(VENV / f"bench-{name}" / "bin" / "python") if RIVALS[name].apart else sys.executable


@contextmanager
def rivals(names: Sequence[str], files: Path, workers: int, folder: Path) -> Iterator[list[Server]]:
    """Run these servers; they come up at the same time."""
    with ExitStack() as stack:
        coming = []
        for name in names:
            start = Start(python_of(name), files, free_port(HOST, 0), workers, folder / name)
            given = {"MODEL": str(pickled(files)), "WORKERS": str(workers)}
            env = child_environment(ONE_THREAD | given | dict(RIVALS[name].env), without=("PYTHONPATH",))
            log = folder / f"{name}.log"
            process = start_process(RIVALS[name].command(start), log=log, env=env)
            stack.callback(stop_process, process)
            coming.append((name, start.port, process, log))
        for name, port, process, log in coming:
            url = f"{local_url(HOST, port)}{RIVALS[name].ready}"
            wait_until_ready(process, url, name=name, log=log, timeout_s=_TIMEOUT_S)
        yield [Server(name, workers, port, psutil.Process(process.pid)) for name, port, process, _ in coming]
