"""A cached plan answers at once, only where nothing of it changed, and is compared with the model afterwards."""

import contextlib
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from tests.helpers.constant_load import HOST
from tests.helpers.services import READY_S, fronts, post
from tests.helpers.versions import CSV, ROW, make_versions

from slipway.errors import ServiceFailed
from slipway.processes import child_environment
from slipway.registry.trust import artifact_digest
from slipway.serving.config import ServingConfig
from slipway.serving.http.sockets import listen
from slipway.serving.ipc.messages import ModelLoaded
from slipway.serving.ipc.plan_transfer import PackedPlan
from slipway.serving.supervisor.generation import WantedVersion
from slipway.serving.supervisor.plan_cache import PlanCache
from slipway.serving.supervisor.supervisor import Supervisor
from slipway.workflows.endpoint.load import PRELOAD, Order

BODY = json.dumps({"dataframe_records": [ROW]}).encode()


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_versions(tmp_path_factory.mktemp("kept"))


def wanted(folder: Path, plan_cache: PlanCache) -> WantedVersion:
    order = Order("m", 1, artifact_digest(folder), folder, "", ())
    return WantedVersion(
        "m", 1, order.digest or "", "Production", order, PRELOAD, plan_cache=plan_cache, kept=plan_cache.find()[0]
    )


@contextlib.contextmanager
def service(first: WantedVersion, log: Path) -> Iterator[tuple[Supervisor, int]]:
    listener = listen(HOST, 0)
    env = child_environment({"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"})
    supervisor = Supervisor(ServingConfig(), ["m"], listener, env, log)
    port = listener.getsockname()[1]
    supervisor.start()
    try:
        supervisor.want(first)
        supervisor.wait_until_ready(READY_S)
        yield supervisor, port
    finally:
        supervisor.stop()


def until(log: Path, text: str) -> None:
    end = time.monotonic() + READY_S
    while text not in log.read_text():
        assert time.monotonic() < end, log.read_text()
        time.sleep(0.02)


@pytest.fixture(scope="session")
def plan_caches(folders: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, PlanCache]:
    """The plan caches of versions 1 and 2, as a service of the one and then of the other leaves them."""
    made = {name: PlanCache(tmp_path_factory.mktemp(f"cache{name}") / "1.plan", "f" * 64) for name in ("1", "2")}
    log = tmp_path_factory.mktemp("plan_caches") / "log"
    with service(wanted(folders / "1", made["1"]), log) as (supervisor, _):
        until(log, "takes over")
        supervisor.want(wanted(folders / "2", made["2"]))
        end = time.monotonic() + READY_S
        while log.read_text().count("takes over") < 2:
            assert time.monotonic() < end, log.read_text()
            time.sleep(0.02)
    assert all(plan_cache.find()[0] is not None for plan_cache in made.values())
    return made


@pytest.mark.slow
def test_it_answers_at_once_by_a_process_without_scikit_learn_and_is_compared_with_the_model(
    folders: Path, plan_caches: dict[str, PlanCache], tmp_path: Path
) -> None:
    log = tmp_path / "log"
    with service(wanted(folders / "1", plan_caches["1"]), log) as (supervisor, port):
        status, _, body = post(port, BODY)
        (front,) = fronts(supervisor)
        maps = Path(f"/proc/{front}/maps").read_text()
        assert "llvmlite" in maps
        assert not any(name in maps for name in ("/sklearn/", "/pandas/", "/skops/"))
        assert status == 200
        assert post(port, b"a,b,c\n0.5,-1.25,x\n", CSV)[2] == body  # the model itself, which is waited for
        until(log, "the plan that was kept is what it compiles to")
        assert post(port, BODY)[2] == body
    said = log.read_text()
    assert said.index("answers from the plan that was kept") < said.index("is what it compiles to")


@pytest.mark.slow
def test_one_that_is_not_what_the_model_compiles_to_is_replaced(
    folders: Path, plan_caches: dict[str, PlanCache], tmp_path: Path
) -> None:
    log, plan_cache = tmp_path / "log", PlanCache(tmp_path / "1.plan", "f" * 64)
    first = wanted(folders / "1", plan_cache)
    with service(replace(first, kept=plan_caches["2"].find()[0]), log) as (_, port):
        until(log, "is not what m version 1 compiles to, and is replaced")
        end = time.monotonic() + READY_S
        while post(port, BODY)[2] != post(port, b"a,b,c\n0.5,-1.25,x\n", CSV)[2]:
            assert time.monotonic() < end
    assert plan_cache.find()[0] == plan_caches["1"].find()[0]


@pytest.mark.slow
def test_a_service_ends_whose_model_may_not_be_loaded_after_all(
    folders: Path, plan_caches: dict[str, PlanCache], tmp_path: Path
) -> None:
    first = wanted(folders / "1", plan_caches["1"])
    forged = replace(first, load=replace(first.load, digest="0" * 64))  # type: ignore[type-var]
    with service(forged, tmp_path / "log") as (supervisor, _), pytest.raises(ServiceFailed, match="bytes of the copy"):
        supervisor.wait()


def flipped(content: bytearray) -> None:
    content[-5] ^= 1


def cut(content: bytearray) -> None:
    del content[-5:]


@pytest.mark.slow
@pytest.mark.parametrize("change", [flipped, cut])
def test_one_of_which_a_byte_changed_is_not_used(
    change: Callable[[bytearray], None], plan_caches: dict[str, PlanCache], tmp_path: Path
) -> None:
    content = bytearray(plan_caches["1"].path.read_bytes())
    change(content)
    plan_cache = PlanCache(tmp_path / "1.plan", "f" * 64)
    plan_cache.path.write_bytes(content)
    assert plan_cache.find() == (None, "its bytes changed")


@pytest.mark.slow
def test_one_of_other_versions_or_that_others_may_write_is_not_used(
    plan_caches: dict[str, PlanCache], tmp_path: Path
) -> None:
    assert plan_caches["1"].find()[0] is not None
    assert replace(plan_caches["1"], made_of="e" * 64).find() == (
        None,
        "it was made of something else, or by other versions",
    )
    plan_cache = PlanCache(tmp_path / "1.plan", "f" * 64)
    plan_cache.path.write_bytes(plan_caches["1"].path.read_bytes())
    plan_cache.path.chmod(0o666)
    assert plan_cache.find() == (None, "others may have written it")
    assert PlanCache(tmp_path / "none.plan", "f" * 64).find() == (None, "")


@pytest.mark.parametrize("changed", ["types", "digest", "versions"])
def test_what_it_is_made_of(changed: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    order = Order("m", 1, "a" * 64, tmp_path / "1", "", ())
    before: Any = order.plan_cache
    assert order.plan_cache == before
    if changed == "versions":
        monkeypatch.setattr("slipway.plans.fingerprint.version", lambda name: "0.0")
    other = replace(order, **{"types": {"trusted": ("a.B",)}, "digest": {"digest": "b" * 64}}.get(changed, {}))
    assert other.plan_cache is not None
    assert other.plan_cache.made_of != before.made_of


@dataclass(frozen=True)
class SignatureOfLater:
    """A signature as another Slipway declares it."""

    columns: tuple[str, ...] = ("a",)


def test_a_plan_with_a_signature_of_another_slipway_is_not_used(tmp_path: Path) -> None:
    plan_cache = PlanCache(tmp_path / "1.plan", "f" * 64)
    plan_cache.keep(ModelLoaded(SignatureOfLater(), PackedPlan(bytearray(b"a plan")), ""))  # type: ignore[arg-type]
    assert plan_cache.find() == (None, "it was made of something else, or by other versions")
