"""Floods by somebody without an account: the server stays small and quick, and its users get in."""

import configparser
import http.client
import shutil
import socket
import statistics
import threading
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import mlflow
import psutil
import pytest
import requests

from slipway.settings import Settings
from slipway.tracking.server import server_log
from slipway.workflows.platform import down, up

pytestmark = [pytest.mark.release, pytest.mark.slow]
UI = Path(mlflow.__file__).parent / "server/js/build"
largest = max(UI.rglob("*.js"), key=lambda file: file.stat().st_size).relative_to(UI)
MOST_MORE_MB, MOST_MS = 50.0, 100.0
SEARCH = "/api/2.0/mlflow/experiments/search"


@dataclass
class Attacked:
    """A server of its own. idle_mb: its memory before an attack."""

    home: Path
    uri: str
    process: psutil.Process
    password: str
    idle_mb: float = 0.0

    @property
    def address(self) -> tuple[str, int]:
        parts = urlsplit(self.uri)
        return str(parts.hostname), int(parts.port or 0)

    def memory_mb(self) -> float:
        return sum(p.memory_info().rss for p in (self.process, *self.process.children(recursive=True))) / 2**20

    @contextmanager
    def stays_small(self) -> Iterator[None]:
        """The memory of the server grows by less than `MOST_MORE_MB` at any moment of the block."""
        before, peaks, ended = self.memory_mb(), [0.0], threading.Event()

        def watch() -> None:
            while not ended.wait(0.02):
                peaks.append(self.memory_mb())

        watching = threading.Thread(target=watch)
        watching.start()
        try:
            yield
        finally:
            ended.set()
            watching.join()
        print(f"idle {before:.0f} MB, at most {max(peaks) - before:+.1f} MB")
        assert max(peaks) - before < MOST_MORE_MB

    def health_ms(self) -> float:
        """The median time of `/health`, each time on a connection of its own."""
        took = []
        for _ in range(50):
            began = time.perf_counter()
            assert requests.get(f"{self.uri}/health", timeout=60).status_code == 200
            took.append((time.perf_counter() - began) * 1000)
        print(f"/health takes {statistics.median(took):.1f} ms")
        return statistics.median(took)

    def log_in(self, password: str, source: str = "127.0.0.1", user: str = "admin") -> tuple[int, float]:
        """Ask with a password from an address of this machine; return the status and how long it took."""
        named = b64encode(f"{user}:{password}".encode()).decode()
        began = time.perf_counter()
        asking = http.client.HTTPConnection(*self.address, timeout=60, source_address=(source, 0))
        asking.request(
            "GET", "/api/2.0/mlflow/experiments/get?experiment_id=0", headers={"Authorization": f"Basic {named}"}
        )
        status = asking.getresponse().status
        asking.close()
        return status, time.perf_counter() - began


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory, migrated_database: Path) -> Iterator[Attacked]:
    home = tmp_path_factory.mktemp("attacked") / ".slipway"
    home.mkdir()
    shutil.copy(migrated_database, home / "mlflow.db")
    settings = Settings(home.parent, home)
    server = up(settings, port=0, auth=True).server
    told = configparser.ConfigParser()
    told.read(home / "auth.ini")
    try:
        attacked = Attacked(home, server.uri, psutil.Process(server.pid), told["mlflow"]["admin_password"])
        for _ in range(20):  # what the first requests load belongs to the idle server
            assert attacked.log_in(attacked.password)[0] == 200
        yield attacked
    finally:
        down(settings)


def test_four_hundred_megabytes_without_an_account_are_not_held(attacked: Attacked) -> None:
    with attacked.stays_small():
        for data in ((b"x" * 2**20 for _ in range(400)), b"x" * 400 * 2**20):
            with suppress(requests.ConnectionError):  # closed while it was still sending
                assert requests.post(f"{attacked.uri}{SEARCH}", data=data, timeout=60).status_code == 401


@pytest.mark.parametrize(
    "said",
    [
        "GET / HTTP/1.1\r\nHost: x\r\n",
        f"POST {SEARCH} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 400000000\r\n\r\n{{",
        f"GET /static-files/{largest} HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ],
    ids=["half-open", "slow bodies", "answers that nobody reads"],
)
def test_a_thousand_connections_without_an_account_leave_the_server_small_and_quick(
    attacked: Attacked, said: str
) -> None:
    with attacked.stays_small(), ExitStack() as opened:
        for _ in range(1000):
            with suppress(ConnectionError):
                opened.enter_context(socket.create_connection(attacked.address, timeout=60)).sendall(said.encode())
        assert attacked.health_ms() < MOST_MS


def test_ten_thousand_guesses_are_throttled_and_logged_and_the_right_user_gets_in(attacked: Attacked) -> None:
    right: list[Any] = []

    def users_beside() -> None:
        for _ in range(20):
            right.append(attacked.log_in(attacked.password, "127.0.0.2"))
            time.sleep(0.1)

    began = time.perf_counter()
    beside = threading.Thread(target=users_beside)
    beside.start()
    with attacked.stays_small():
        statuses = [attacked.log_in(f"guess-{i}")[0] for i in range(10_000)]
    beside.join()
    print(f"{len(statuses)} guesses in {time.perf_counter() - began:.0f} s, {statuses.count(401)} of them compared")
    assert statuses.count(401) < 30 and statuses.count(429) == 10_000 - statuses.count(401)
    assert {status for status, _ in right} == {200}
    log = server_log(attacked.home).read_text()
    assert "wrong passwords for the user 'admin' from 127.0.0.1" in log and "guess-" not in log


def test_an_unknown_user_takes_as_long_as_a_known_one(attacked: Attacked) -> None:
    def typical_ms(user: str, network: int) -> float:
        took = [attacked.log_in(f"guess-{i}", f"127.0.{network}.{i}", user) for i in range(1, 40)]
        assert {status for status, _ in took} == {401}
        return statistics.median(each for _, each in took) * 1000

    known, unknown = typical_ms("admin", 7), typical_ms("nobody", 8)
    print(f"known {known:.1f} ms, unknown {unknown:.1f} ms")
    assert 0.5 < known / unknown < 2
