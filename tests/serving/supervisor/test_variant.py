"""A variant beside the primary, in real processes: its callers are answered by it, it is compared, and it is ended."""

import json
import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from operator import truediv
from pathlib import Path

import mlflow
import pandas as pd
import psutil
import pytest
from prometheus_client.parser import text_string_to_metric_families
from tests.helpers.constant_load import HOST, Load
from tests.helpers.services import KEY, READY_S, asked, fronts, get, wanted
from tests.helpers.versions import ASKED, DEMANDING, ROW, UNCOMPILED, answers_of, make_versions
from tests.helpers.waiting import wait_for

from slipway.core.variants import VariantRecord, VariantRole, VariantState
from slipway.processes import child_environment
from slipway.serving.config import Guardrails, ServingConfig, VariantConfig
from slipway.serving.front.routing import bucket, lowest
from slipway.serving.http.messages import Request
from slipway.serving.http.sockets import listen
from slipway.serving.supervisor.generation import WantedVersion
from slipway.serving.supervisor.supervisor import Supervisor

pytestmark = pytest.mark.slow

PATIENCE_S = 240.0  # what compares gets what the rest of the machine leaves
COUNTED = (("errors", {}), ("requests", {"status": "504"}))
NEVER = Guardrails(max_disagreement=1.0, max_errors=1.0, max_slower=1e9)


class Endpoint:
    """A supervisor with version 1 and a variant; `records` holds the records that the supervisor wrote."""

    def __init__(self, first: WantedVersion, variant_config: VariantConfig, log: Path, **config: object):
        self.log, self.records = log, list[VariantRecord]()
        listener = listen(HOST, 0)
        self.port = listener.getsockname()[1]
        env = child_environment({"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"})
        settings = ServingConfig(**{"fronts": 2, "variant_config": variant_config, **config})
        self.supervisor = Supervisor(settings, ["m"], listener, env, log, record=self.records.append)
        self.supervisor.start()
        self.supervisor.want(first)
        self.supervisor.wait_until_ready(READY_S)

    @property
    def variant(self) -> dict[str, object]:
        """The report of the variant on /ready."""
        model = json.loads(get(self.port, "/ready")[1])["models"]["m"]
        return model.get("canary") or model["shadow"]

    def metric(self, name: str, **labels: str) -> float:
        page = get(self.port, "/metrics")[1].decode()
        samples = [each for family in text_string_to_metric_families(page) for each in family.samples]
        return sum(each.value for each in samples if each.name == name and labels.items() <= each.labels.items())

    def serves(self, version: int) -> None:
        """Wait until all fronts have this version as the variant, 0 for none."""
        for _ in range(8):  # each connection is another front's, by and by
            wait_for(lambda: {"state": "serving", "version": version}.items() <= self.variant.items())

    def process(self, name: str) -> int:
        processes = self.supervisor.processes()
        if name == "back":
            return processes.variant_backs[0]
        assert processes.comparer is not None
        return processes.comparer


Start = Callable[..., Endpoint]


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_versions(tmp_path_factory.mktemp("versions"))


@pytest.fixture(scope="session")
def expected(folders: Path) -> dict[str, list[bytes]]:
    return answers_of(folders)


@pytest.fixture
def start(folders: Path, tmp_path: Path) -> Iterator[Start]:
    started: list[Endpoint] = []

    def starter(role: VariantRole, share: float, guardrails: Guardrails, **config: object) -> Endpoint:
        variant_config = VariantConfig(role, "Staging", share, guardrails)
        started.append(Endpoint(wanted(folders / "1", 1), variant_config, tmp_path / "serve.log", **config))
        return started[-1]

    yield starter
    for each in started:
        each.supervisor.stop()


def as_second(
    folder: Path, version: int, role: VariantRole = VariantRole.CANARY, digest: str | None = None
) -> WantedVersion:
    return replace(wanted(folder, version, digest), role=role)


def is_canarys(key: str, share: float) -> bool:
    request = Request(b"POST", b"", {KEY.lower().encode(): key.encode()}, b"", "")
    return bucket(request, KEY.lower().encode()) < lowest(share)


def test_a_canary_answers_its_callers_and_no_request_is_lost_when_it_comes_goes_or_dies(
    start: Start, folders: Path, expected: dict[str, list[bytes]], tmp_path: Path
) -> None:
    endpoint = start(VariantRole.CANARY, 0.3, NEVER)
    assert endpoint.variant == {"of": "Staging", "share": 0.3, "state": "none"}
    broken = tmp_path / "broken"
    shutil.copytree(folders / "1", broken)
    (broken / "model.skops").write_bytes(b"this is no model")
    with Load(endpoint.port, ASKED, expected, key=KEY, pause_s=0.005) as load:
        endpoint.supervisor.want_variant(as_second(folders / "2", 2))
        endpoint.serves(2)
        load.wait_for("2")
        keys = [f"somebody {number}" for number in range(150)]
        found = {key: asked(endpoint.port, key)[1] for key in keys}
        assert found == {key: "2" if is_canarys(key, 0.3) else "1" for key in keys}
        assert 20 < list(found.values()).count("2") < 75  # five standard deviations
        callers = [key for key in keys if found[key] == "2"]
        for process in ("back", "comparing"):
            os.kill(endpoint.process(process), signal.SIGKILL)
            for key in callers[:10]:  # whoever of both is there
                status, version, body = asked(endpoint.port, key, *ASKED[-1])
                assert (status, body) == (200, expected[version][-1])
        os.kill(fronts(endpoint.supervisor)[0], signal.SIGKILL)
        load.wait_for("2")
        wait_for(lambda: asked(endpoint.port, callers[0], *ASKED[-1])[1] == "2")
        before = endpoint.metric("slipway_canary_compared_total")
        wait_for(lambda: endpoint.metric("slipway_canary_compared_total") > before)

        endpoint.supervisor.want_variant(as_second(broken, 9))
        wait_for(lambda: "last_failure" in endpoint.variant)
        assert endpoint.variant["version"] == 2
        assert asked(endpoint.port, callers[0])[1] == "2"
        endpoint.supervisor.want_variant(as_second(folders / "3", 3))
        endpoint.serves(3)
        load.wait_for("3")
        assert "last_failure" not in endpoint.variant
        endpoint.supervisor.want_variant(None)
        wait_for(lambda: {asked(endpoint.port, key)[1] for key in callers[:8]} == {"1"})
        assert endpoint.variant["state"] == "none"

        endpoint.supervisor.want_variant(as_second(folders / "2", 2))
        endpoint.serves(2)
        endpoint.supervisor.want(wanted(folders / "2", 2))  # promoted: its callers stay with it
        endpoint.supervisor.want_variant(None)
        others = next(key for key in keys if found[key] == "1")
        while asked(endpoint.port, others)[1] != "2":
            assert {asked(endpoint.port, key)[1] for key in callers[:5]} == {"2"}
        wait_for(lambda: endpoint.variant["state"] == "none")
    assert load.failed == []
    assert endpoint.metric("slipway_canary_last_failed_version") == 0
    assert endpoint.metric("slipway_canary_version") == 0
    mine = endpoint.metric("slipway_canary_requests_total", status="200")
    primary_latency = endpoint.metric("slipway_canary_seconds_count", by="first")
    assert mine >= load.answered["2"] + load.answered["3"]
    assert primary_latency > 0
    assert endpoint.metric("slipway_requests_total", model="m", status="200") >= sum(load.answered.values())
    assert "m version 9 (canary) does not take over" in endpoint.log.read_text()


def test_what_a_canary_does_not_answer_the_first_version_does_and_only_that_counts_against_it(
    start: Start, folders: Path, expected: dict[str, list[bytes]]
) -> None:
    endpoint = start(VariantRole.CANARY, 1.0, NEVER, fronts=1, timeout_s=10.0)
    endpoint.supervisor.want_variant(as_second(folders / "2", 2))
    endpoint.serves(2)
    assert asked(endpoint.port, "a")[:2] == (200, "2")
    wrong = b'{"dataframe_records": [{"a": "no number"}]}'
    # A back that was never asked loads what answers, which on a busy machine may take longer than there is for an answer.
    wait_for(lambda: asked(endpoint.port, "a", body=wrong)[:2] == (400, "1"))
    errors, late = (endpoint.metric(f"slipway_canary_{name}_total", **of) for name, of in COUNTED)
    status, version, body = asked(endpoint.port, "a", body=wrong)
    assert (status, version) == (400, "1")
    assert set(json.loads(body)) == {"error_code", "message"}
    assert endpoint.metric("slipway_canary_errors_total") == errors
    stuck = endpoint.process("back")
    os.kill(stuck, signal.SIGSTOP)
    began = time.monotonic()
    assert asked(endpoint.port, "a", *ASKED[-1]) == (200, "1", expected["1"][-1])
    assert time.monotonic() - began > 4.9  # half of the time for an answer, and the rest was left
    assert endpoint.metric("slipway_canary_errors_total") == errors + 1
    assert endpoint.metric("slipway_canary_requests_total", status="504") == late + 1
    wait_for(lambda: asked(endpoint.port, "a", *ASKED[-1]) == (200, "2", expected["2"][-1]))
    assert not psutil.pid_exists(stuck)


@pytest.mark.parametrize(
    ("bound", "name", "guardrails"),
    [
        ("disagreement", "2", Guardrails(min_requests=60, max_errors=1, max_slower=1e9)),
        ("errors", DEMANDING, Guardrails(min_requests=60, max_disagreement=1, max_slower=1e9)),
        pytest.param(
            "latency",
            UNCOMPILED,
            Guardrails(min_requests=60, max_disagreement=1, max_errors=1, max_p99_ms=0.5),
            marks=pytest.mark.release,
        ),
    ],
)
def test_a_canary_that_passes_a_bound_is_ended_and_all_are_answered_by_the_first_version(
    start: Start, folders: Path, expected: dict[str, list[bytes]], bound: str, name: str, guardrails: Guardrails
) -> None:
    endpoint = start(VariantRole.CANARY, 0.5, guardrails, fronts=1)
    bad = as_second(folders / name, 2)
    uncompiled = {"2": [asked_of(folders / name)] * len(ASKED)} if name == UNCOMPILED else {}
    with Load(endpoint.port, ASKED, expected | uncompiled, kept=6, key=KEY, pause_s=0.005) as load:
        endpoint.supervisor.want_variant(bad)
        wait_for(lambda: endpoint.variant["state"] == "ended", PATIENCE_S)
        said = endpoint.variant
        assert (said["past_bound"], said["version"]) == (bound, 2)
        assert "the bound is" in str(said["why"])
        time.sleep(0.5)  # what was under way
        load.wait_for("1")
        ended = load.answered["2"]
        endpoint.supervisor.want_variant(bad, True)  # the same version again
        load.wait_for("1", more=200)
        assert (load.answered["2"], endpoint.variant["state"]) == (ended, "ended")
        assert endpoint.metric("slipway_canary_past_bound", bound=bound) == 1
        assert endpoint.metric("slipway_canary_ended_version") == 2
        if bound == "errors":
            assert ended == 0  # each of them was answered by the first version
            endpoint.supervisor.want_variant(as_second(folders / "3", 3))
            load.wait_for("3")
            assert endpoint.variant["state"] == "serving"
    assert load.failed == []
    assert f"m version 2 (canary) is ended, the primary alone answers: {said['why']}" in endpoint.log.read_text()
    record = next(each for each in endpoint.records if each.state is VariantState.ENDED)
    assert (record.version, record.first_version, record.why) == (2, 1, said["why"])


def asked_of(folder: Path) -> bytes:
    predicted = mlflow.sklearn.load_model(str(folder)).predict(pd.DataFrame([ROW])).tolist()
    return json.dumps({"predictions": predicted}).encode()


def test_a_shadow_is_compared_and_warned_of_and_nobody_hears_it(
    start: Start, folders: Path, expected: dict[str, list[bytes]]
) -> None:
    endpoint = start(VariantRole.SHADOW, 1.0, Guardrails(min_requests=60, max_slower=1e9), keys=None)
    with Load(endpoint.port, ASKED, expected, kept=4, pause_s=0.005) as load:
        endpoint.supervisor.want_variant(as_second(folders / "2", 2, VariantRole.SHADOW))
        wait_for(lambda: endpoint.variant.get("past_bound") == "disagreement", PATIENCE_S)
        assert endpoint.variant["state"] == "serving"  # nobody hears it, so it goes on
        before = endpoint.metric("slipway_shadow_requests_total")
        os.kill(endpoint.process("back"), signal.SIGKILL)
        os.kill(endpoint.process("comparing"), signal.SIGKILL)
        wait_for(lambda: endpoint.metric("slipway_shadow_requests_total") > before + 50, PATIENCE_S)
    assert load.failed == []
    assert set(load.answered) == {"1"}
    compared = ("compared", "compared_rows", "disagreements")
    wait_for(lambda: len({endpoint.metric(f"slipway_shadow_{name}_total") for name in compared}) == 1, PATIENCE_S)
    distances = ("sum", "count")  # asked one after the other, and the last copies are compared after the load ended
    mean = lambda: truediv(*(endpoint.metric(f"slipway_shadow_distance_{name}") for name in distances))
    wait_for(lambda: 999 < mean() < 1001, PATIENCE_S)
    assert "m version 2 (shadow) violates a guardrail: 100 % of" in endpoint.log.read_text()
    endpoint.supervisor.stop()
    last = endpoint.records[-1]
    assert (last.disagreement, last.state, last.first_version) == (1.0, VariantState.SERVING, 1)
    assert last.mean_distance == pytest.approx(1000, abs=1)
