"""Real processes under constant load: promotions, rollbacks, kills and broken versions lose no request."""

import contextlib
import http.client
import json
import os
import random
import re
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np
import psutil
import pytest
from tests.helpers.constant_load import HOST, Load
from tests.helpers.services import READY_S, backs, fronts, get, live, post, wanted
from tests.helpers.versions import ASKED, CSV, UNCOMPILED, VERSIONS, answers_of, make_versions
from tests.helpers.waiting import wait_for

from slipway.errors import UntrustedModel
from slipway.processes import child_environment
from slipway.registry.trust import artifact_digest
from slipway.serving.config import ServingConfig
from slipway.serving.http.sockets import listen
from slipway.serving.supervisor.api_keys_file import hashed
from slipway.serving.supervisor.generation import WantedVersion
from slipway.serving.supervisor.supervisor import Supervisor

pytestmark = pytest.mark.slow

ROUNDS = int(os.environ.get("SOAK_ROUNDS", "4"))  # one of each kind; `make soak` has a hundred


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_versions(tmp_path_factory.mktemp("versions"))


@pytest.fixture(scope="session")
def expected(folders: Path) -> dict[str, list[bytes]]:
    return answers_of(folders)


Start = Callable[..., tuple[Supervisor, int]]


class Standing(NamedTuple):
    """An endpoint that stays."""

    supervisor: Supervisor
    port: int
    log: Path


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    started: list[Supervisor] = []

    def starter(first: WantedVersion, **config: object) -> tuple[Supervisor, int]:
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


@pytest.fixture(scope="module")
def standing(folders: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standing]:
    """One endpoint for the tests in which none of its processes dies; each wants the version that it asks."""
    listener, log = listen(HOST, 0), tmp_path_factory.mktemp("standing") / "serve.log"
    env = child_environment({"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"})
    supervisor = Supervisor(ServingConfig(fronts=2), ["m"], listener, env, log)
    supervisor.start()
    try:
        supervisor.want(wanted(folders / "1", 1))
        supervisor.wait_until_ready(READY_S)
        yield Standing(supervisor, listener.getsockname()[1], log)
    finally:
        supervisor.stop()


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
            described = re.sub("(model_uuid:).*", rf"\1 f{number:031x}", (fresh / "MLmodel").read_text())
            (fresh / "MLmodel").write_text(described)
            new = wanted(fresh, target)
            supervisor.want(new)
            promoted.append(live(port, str(target)))
            load.wait_for(str(target))
            supervisor.want(before)
            rolled_back.append(live(port, str(before.version)))
            supervisor.want(new)
            live(port, str(target))
            load.wait_for(str(target))
            before = new
    assert load.failed == []
    assert set(load.answered) == {"1", "2", "3"}
    assert sum(load.answered.values()) > 40 * ROUNDS
    print(
        f"\n{sum(load.answered.values())} answers, {load.sent_again} sent again, longest {load.longest_s:.2f} s, "
        f"promotion live {np.median(promoted):.2f} s (at most {max(promoted):.2f}), "
        f"rollback {np.median(rolled_back):.3f} s (at most {max(rolled_back):.3f})"
    )


def test_a_version_whose_bytes_changed_never_serves(
    start: Start, standing: Standing, folders: Path, tmp_path: Path
) -> None:
    changed = tmp_path / "changed"
    shutil.copytree(folders / "2", changed)
    digest = artifact_digest(changed)
    content = bytearray((changed / "model.skops").read_bytes())
    content[len(content) // 2] ^= 1
    (changed / "model.skops").write_bytes(content)
    with pytest.raises(UntrustedModel, match=r"the bytes of the copy in .* changed"):
        start(wanted(changed, 2, digest))

    supervisor, port, log = standing
    supervisor.want(wanted(changed, 2, digest))
    wait_for(lambda: b"changed" in get(port, "/ready")[1])
    said = json.loads(get(port, "/ready")[1])
    assert said["models"]["m"]["version"] == 1
    assert post(port, ASKED[0][1])[:2] == (200, "1")
    assert "m version 2 does not take over: the bytes of the copy" in log.read_text()
    supervisor.want(wanted(folders / "3", 3))  # what came after it takes over
    live(port, "3")
    assert b"changed" not in get(port, "/ready")[1]


def test_rows_are_answered_together_with_the_bytes_of_one_each(standing: Standing, folders: Path) -> None:
    supervisor, port, _ = standing
    supervisor.want(wanted(folders / UNCOMPILED, 9))
    wait_for(lambda: {post(port, ASKED[0][1])[1] for _ in range(12)} == {"9"})  # of both fronts
    assert json.loads(get(port, "/ready")[1])["models"]["m"]["compiled"] is False
    bodies = [
        json.dumps({"dataframe_records": [{"a": n / 7, "b": -n / 3, "c": "xyz"[n % 3]}]}).encode() for n in range(32)
    ]
    alone = [post(port, body) for body in bodies]
    assert {status for status, _, _ in alone} == {200}
    with ThreadPoolExecutor(16) as clients:
        assert list(clients.map(lambda body: post(port, body), bodies * 4)) == alone * 4


def test_a_back_that_is_stuck_is_killed_and_the_others_go_on(start: Start, folders: Path) -> None:
    supervisor, port = start(wanted(folders / UNCOMPILED, 9), timeout_s=2.0, fronts=1)
    (stuck,) = backs(supervisor)
    os.kill(stuck, signal.SIGSTOP)
    assert post(port, ASKED[0][1])[0] == 504
    wait_for(lambda: post(port, ASKED[0][1])[:2] == (200, "9"))
    assert not psutil.pid_exists(stuck)


def test_a_front_that_hangs_is_killed_and_another_takes_its_place(start: Start, folders: Path, tmp_path: Path) -> None:
    supervisor, port = start(wanted(folders / "1", 1), timeout_s=1.0, fronts=1)
    (hanging,) = fronts(supervisor)
    time.sleep(2)  # seen at work first
    os.kill(hanging, signal.SIGSTOP)
    assert post(port, ASKED[0][1])[:2] == (200, "1")  # it waited for the other one to accept it
    assert fronts(supervisor) != (hanging,) and not psutil.pid_exists(hanging)
    assert "front 0 hangs, and is killed" in (tmp_path / "serve.log").read_text()


def test_the_keys_are_changed_without_a_restart(standing: Standing) -> None:
    supervisor, port, _ = standing
    supervisor.use_keys(hashed(["one"]))
    wait_for(lambda: post(port, ASKED[0][1])[0] == 401)
    supervisor.use_keys(None)
    wait_for(lambda: post(port, ASKED[0][1])[0] == 200)


def test_what_goes_unused_for_its_time_is_let_go(start: Start, folders: Path) -> None:
    supervisor, port = start(wanted(folders / "1", 1), keep_warm_s=0.0, timeout_s=1.0)
    first = backs(supervisor)[0]
    supervisor.want(wanted(folders / "2", 2))
    live(port, "2")
    wait_for(lambda: not psutil.pid_exists(first))
    supervisor.want(wanted(folders / "1", 1))
    live(port, "1")


def test_a_fork_server_that_was_killed_is_replaced_too(start: Start, folders: Path) -> None:
    supervisor, port = start(wanted(folders / "1", 1))
    os.kill(supervisor.processes().fork_server, signal.SIGKILL)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError, http.client.HTTPException):
            if post(port, ASKED[0][1])[:2] == (200, "1") and post(port, ASKED[-1][1], CSV)[:2] == (200, "1"):
                return
        time.sleep(0.1)
    raise AssertionError("it does not answer again")
