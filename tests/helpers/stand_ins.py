"""A plan and a back that are quick to make, can be sent to another process, and misbehave on demand."""

import http.client
import json
import socket
import socketserver
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np

from slipway.serving.config import ServingConfig
from slipway.serving.contract import Generation, InputColumn, Signature
from slipway.serving.counters.models import Counters
from slipway.serving.front.process import front
from slipway.serving.http.messages import refusal
from slipway.serving.ipc import channel, frames, messages
from slipway.serving.ipc.frames import Frames, ModelRequest, ModelResponse

BODY = json.dumps({"dataframe_records": [{"x": 12, "größe": None, "port": "a"}]})
ODD = json.dumps({"dataframe_records": [{"x": -1, "größe": None, "port": "a"}]})
JSON = {"Content-Type": "application/json"}

COLUMNS = (InputColumn("x", "double"), InputColumn("größe", "double", required=False), InputColumn("port", "string"))
EXAMPLE = '{"dataframe_split": {"columns": ["x", "größe", "port"], "data": [[1.5, null, "a"]]}}'
CLASSES = ("früh", "late")


@dataclass(frozen=True)
class StandInPlan:
    """Says 'late' from its threshold on. x of -1 is for the model itself."""

    threshold: float
    inputs: tuple[str, ...] = ("x", "größe", "port")
    classes: tuple[Any, ...] | None = CLASSES
    has_probabilities: bool = True

    def encode(self, rows: Sequence[Sequence[Any]]) -> Any:
        encoded = np.array([[row[0]] for row in rows], dtype=float)
        if (encoded == -1).any():
            raise ValueError("for the model itself")
        return encoded

    def predict(self, encoded: Any) -> Any:
        return np.array(CLASSES)[(encoded[:, 0] >= self.threshold).astype(int)]

    def predict_proba(self, encoded: Any) -> Any:
        late = np.clip(encoded[:, 0] / 100, 0, 1)
        return np.stack([1 - late, late], axis=1)


def generation(version: int = 1, *, number: int = 1, backs: tuple[str, ...] = (), **changed: Any) -> Generation:
    signature = Signature(COLUMNS, "string", EXAMPLE, CLASSES, probabilities=True)
    plan = StandInPlan(threshold=10.0 * version)
    given = {"model": "delays", "plan": plan, "why_not": "", "stage": "Production", **changed}
    return Generation(version=version, digest="d" * 64, number=number, signature=signature, backs=backs, **given)


@dataclass
class Front:
    """A front in a process of its own."""

    url: tuple[str, int]
    control: Connection
    process: Any
    counters: Counters
    said: list[Any] = field(default_factory=list)

    def tell(self, message: object, until: type | None = None) -> None:
        channel.send(self.control, message)
        if until is not None:
            self.wait(until)

    def wait(self, kind: type, timeout_s: float = 20) -> Any:
        """Wait for a message of a kind; others before it are in `said`."""
        end = time.monotonic() + timeout_s
        while time.monotonic() < end:
            if self.control.poll(0.1):
                self.said.append(channel.receive(self.control))
                if isinstance(self.said[-1], kind):
                    return self.said[-1]
        raise AssertionError(f"no {kind.__name__}; only {self.said}")


@contextmanager
def fronts(
    *generations: Generation, config: ServingConfig | None = None, number: int = 1, main: Any = front
) -> Iterator[list[Front]]:
    """Start fronts on one socket, all serving the same. main: of their processes."""
    config, context = config or ServingConfig(), get_context("spawn")
    counters = Counters(tuple(dict.fromkeys(each.model for each in generations)), number)
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    listener.listen(512)
    started = []
    try:
        for row in range(number):
            ours, theirs = context.Pipe()
            process = context.Process(target=main, args=(listener, theirs, config, counters, row))
            process.start()
            theirs.close()
            started.append(Front(listener.getsockname(), ours, process, counters))
            channel.send(ours, messages.Swap(generations))
        for each in started:
            each.wait(messages.Swapped)
        yield started
    finally:
        for each in started:
            each.control.close()  # what a dead supervisor looks like: they end
        for each in started:
            each.process.join(15)
            each.process.kill()
            each.process.join()
            assert each.process.exitcode == 0
            each.process.close()
        listener.close()


class StandInBack:
    """A back in a thread. What it is asked decides: b"slow" sleeps, b"die" ends the connection, b"secret" leaks a traceback."""

    def __init__(self, folder: Path):
        self.path = str(folder / "back.sock")
        self.asked: list[ModelRequest] = []
        self._server: Any = None
        self.start()

    def start(self) -> None:
        back = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                cutter = Frames()
                while data := self.request.recv(65536):
                    for content in cutter.feed(data):
                        threading.Thread(target=self.answer, args=(frames.ask(content),), daemon=True).start()

            def answer(self, ask: ModelRequest) -> None:
                back.asked.append(ask)
                status, body = 200, b'{"predictions": ["from the back"]}'
                if b"slow" in ask.body:
                    time.sleep(3)
                if b"die" in ask.body:
                    self.request.shutdown(socket.SHUT_RDWR)
                    return
                if b"secret" in ask.body:
                    status, body = (
                        400,
                        refusal(400, "wrong", "INVALID_PARAMETER_VALUE")[:-1] + b', "stack_trace": "File x.py"}',
                    )
                if b"raw" in ask.body:
                    status, body = 500, b"Traceback of File x.py"
                with suppress(OSError):  # nobody waits for it any more
                    self.request.sendall(frames.frame(ModelResponse(ask.id, status, "application/json", body)))

        class Server(socketserver.ThreadingUnixStreamServer):
            daemon_threads = True
            block_on_close = False

        self._server = Server(self.path, Handler)
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        Path(self.path).unlink(missing_ok=True)


def raw(address: tuple[str, int], sent: bytes, timeout_s: float = 10) -> bytes:
    """Send bytes and read until the other side closes."""
    with socket.create_connection(address, timeout_s) as connection:
        connection.sendall(sent)
        found = b""
        while data := connection.recv(65536):
            found += data
        return found


def ask(
    front: Front, path: str = "/invocations", body: str | None = BODY, headers: Any = JSON, method: str = ""
) -> Any:
    """Ask a front on a connection of its own; return the status, the answer and its headers."""
    with closing(http.client.HTTPConnection(*front.url, timeout=60)) as connection:
        connection.request(method or ("GET" if body is None else "POST"), path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read(), answer.headers
