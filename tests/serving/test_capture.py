"""Requests and answers on disk, from real processes under load, killed, stopped, and out of disk."""

import contextlib
import http.client
import io
import json
import os
import re
import signal
import subprocess
import time
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pandas as pd
import psutil
import pytest
from openapi_spec_validator import validate
from tests.helpers.constant_load import HOST
from tests.helpers.versions import CSV, JSON, ROW, make_versions
from tests.helpers.waiting import wait_for

from slipway.capture.reading import captured, read
from slipway.capture.writer import CaptureLimits
from slipway.processes import child_environment
from slipway.registry.trust import artifact_digest
from slipway.serving.config import Capture, ServingConfig
from slipway.serving.http.sockets import listen
from slipway.serving.supervisor.api_keys_file import hashed
from slipway.serving.supervisor.generation import WantedVersion
from slipway.serving.supervisor.supervisor import Supervisor
from slipway.workflows.endpoint.capture import PRELOAD as CAPTURE_PRELOAD
from slipway.workflows.endpoint.capture import WRITER
from slipway.workflows.endpoint.load import PRELOAD, Order

pytestmark = pytest.mark.slow

BODY = json.dumps({"dataframe_records": [ROW]}).encode()
READY_S = 120.0


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_versions(tmp_path_factory.mktemp("versions"))


def wanted(files: Path, version: int) -> WantedVersion:
    folder = files / str(version)
    digest = artifact_digest(folder)
    order = Order("m", version, digest, folder, "http://127.0.0.1:1", ())
    return WantedVersion("m", version, digest, "Production", order, PRELOAD)


class Service:
    """A supervisor that captures, and a client of it."""

    def __init__(self, files: Path, folder: Path, log: Path, share: float, segment_s: float, more: dict[str, Any]):
        self.folder, self.log = folder, log
        ring, hung_s = {"size": more.pop("ring", 16_000_000)}, more.pop("hung_s", 60.0)
        arguments = {"limits": CaptureLimits(segment_s)}
        capture = Capture(share, WRITER, folder, arguments, CAPTURE_PRELOAD, ring, hung_s) if share else None
        listener = listen(HOST, 0)
        self.port = listener.getsockname()[1]
        env = child_environment({"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"})
        config = ServingConfig(**{"fronts": 1, **more})
        self.supervisor = Supervisor(config, ["m"], listener, env, log, capture=capture)
        self.supervisor.start()
        self.supervisor.want(wanted(files, 1))
        self.supervisor.wait_until_ready(READY_S)

    @property
    def writer(self) -> int:
        wait_for(lambda: self.supervisor.processes().capture_writer)
        return self.supervisor.processes().capture_writer or 0

    def ask(self, path: str = "/invocations", body: bytes | None = BODY, **headers: str) -> tuple[int, bytes]:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        with contextlib.closing(http.client.HTTPConnection(HOST, self.port, timeout=60)) as connection:
            connection.request("GET" if body is None else "POST", path, body, {"Content-Type": JSON} | sent)
            answer = connection.getresponse()
            return answer.status, answer.read()

    def metric(self, name: str, **labels: str) -> float:
        text = ",".join(f'{key}="{value}"' for key, value in {"model": "m", **labels}.items())
        found = re.search(rf"^{name}{{{text}}} (\S+)$", self.ask("/metrics", None)[1].decode(), re.MULTILINE)
        return float(found[1]) if found else -1.0

    def written(self, rows: int) -> pd.DataFrame:
        """Wait until so many rows are on disk, and return them."""
        wait_for(lambda: self.metric("slipway_captured_rows_total") >= rows)
        found = read(self.folder, "m")
        assert len(found) == rows
        return found

    def trouble(self) -> Any:
        return json.loads(self.ask("/ready", None)[1])["capture"]["trouble"]


Start = Callable[..., Service]


@pytest.fixture
def start(files: Path, tmp_path: Path) -> Iterator[Start]:
    started: list[Service] = []

    def starter(share: float = 1.0, segment_s: float = 0.3, folder: Path | None = None, **more: Any) -> Service:
        folder = folder or tmp_path / "capture"
        started.append(Service(files, folder, tmp_path / "serve.log", share, segment_s, more))
        return started[-1]

    yield starter
    for service in started:
        service.supervisor.stop()


def test_every_format_is_captured_and_labels_come_to_their_rows(start: Start) -> None:
    service = start(keys=hashed(["the-key"]))
    parquet = io.BytesIO()
    pd.DataFrame([ROW, {**ROW, "a": 2.5}]).to_parquet(parquet)
    two = [ROW, {**ROW, "a": -3.0, "c": "ünknown"}]
    bodies = {
        "records": (JSON, json.dumps({"dataframe_records": two})),
        "split": (JSON, json.dumps({"dataframe_split": pd.DataFrame(two).to_dict("split")})),
        "instances": (JSON, json.dumps({"instances": two})),
        "inputs": (JSON, json.dumps({"inputs": {name: [row[name] for row in two] for name in ROW}})),
        "odd": (JSON, json.dumps({"dataframe_records": [{**ROW, "more": [1, None]}, {**ROW, "more": None}]})),
        "csv": (CSV, "a,b,c\n0.5,-1.25,x\n7,8,\n"),
        "parquet": ("application/vnd.apache.parquet", parquet.getvalue()),
    }
    answers = {}
    for name, (kind, body) in bodies.items():
        body = body if isinstance(body, bytes) else body.encode()
        status, answer = service.ask(body=body, Content_Type=kind, X_Request_Id=name, X_Api_Key="the-key")
        assert status == 200, answer
        answers[name] = json.loads(answer)["predictions"]
    assert service.ask(body=b"{", X_Api_Key="the-key")[0] == 400  # what is refused is not captured
    service.ask = lambda *given, ask=service.ask, **more: ask(*given, X_Api_Key="the-key", **more)  # type: ignore[method-assign]
    labels = [{"request_id": "csv", "labels": [7, 8.5]}, {"request_id": "split", "row": 1, "label": 3}]
    assert service.ask("/feedback", json.dumps(labels).encode()) == (200, b'{"taken": 3}')
    assert service.ask("/models/m/feedback", b'{"request_id": "csv", "label": 9}') == (200, b'{"taken": 1}')
    assert service.ask("/feedback", b'{"request_id": "nobody", "label": 9}') == (200, b'{"taken": 1}')
    assert service.metric("slipway_feedback_total") == 5

    wait_for(lambda: len(captured(service.folder, "m").labels) == 4)
    rows = service.written(14).set_index(["slipway_request_id", "slipway_row"]).sort_index()
    for name, predictions in answers.items():
        assert rows.loc[name, "slipway_prediction"].tolist() == predictions
    assert set(rows["slipway_version"]) == {1}
    assert set(rows["slipway_stage"]) == {"Production"}
    for name in ("records", "split", "instances", "inputs"):
        assert rows.loc[name, ["a", "b", "c"]].to_dict("records") == two
    assert rows.loc[("csv", 0), ["a", "b", "c"]].tolist() == [0.5, -1.25, "x"]
    assert rows.loc["parquet", "a"].tolist() == [0.5, 2.5]
    assert json.loads(rows.loc[("odd", 0), "slipway_extra"]) == {"more": [1, None]}
    assert rows["slipway_body"].isna().all()
    assert rows["slipway_label"].dropna().to_dict() == {("csv", 0): 9.0, ("csv", 1): 8.5, ("split", 1): 3.0}
    assert abs(rows["slipway_time"].max() - pd.Timestamp.now("UTC")) < pd.Timedelta("1min")

    plain = pd.read_parquet(service.folder / "m" / "requests")
    assert len(plain) == 14
    for path in service.folder.rglob("*"):
        assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600)
        assert path.is_dir() or b"the-key" not in path.read_bytes()
    validate(json.loads(service.ask("/openapi.json", None)[1]))


def test_whole_requests_are_sampled_by_their_id(start: Start) -> None:
    service = start(share=0.3)
    two = json.dumps({"dataframe_records": [ROW, ROW]}).encode()
    ids = [f"request-{number}" for number in range(200)]
    chosen = [each for each in ids if zlib.crc32(each.encode()) < 0.3 * 2**32]
    assert 40 < len(chosen) < 80
    for each in ids:
        assert service.ask(body=two, X_Request_Id=each)[0] == 200
    rows = service.written(2 * len(chosen))
    assert sorted(rows["slipway_request_id"]) == sorted(chosen * 2)
    assert json.loads(service.ask("/ready", None)[1])["capture"] == {"share": 0.3, "trouble": None}


def test_a_writer_that_is_killed_again_and_again_loses_and_doubles_nothing(start: Start) -> None:
    service = start(segment_s=0.15, fronts=2)
    asked: list[str] = []
    stop = False

    def client(number: int) -> None:
        while not stop:
            each = f"{number}-{len(asked)}-{time.monotonic_ns()}"
            if service.ask(X_Request_Id=each)[0] == 200:
                asked.append(each)

    with ThreadPoolExecutor(2) as clients:
        done = [clients.submit(client, number) for number in range(2)]
        for _ in range(4):
            pid = service.writer
            before = service.metric("slipway_captured_rows_total")
            wait_for(lambda before=before: service.metric("slipway_captured_rows_total") > before)
            os.kill(pid, signal.SIGKILL)
            wait_for(lambda pid=pid: service.supervisor.processes().capture_writer not in (None, pid))
        stop = True
        for each in done:
            each.result()
    service.supervisor.stop()  # which writes what is left
    assert sorted(read(service.folder, "m")["slipway_request_id"]) == sorted(asked)
    assert "the capture writer ended; another one takes its place" in service.log.read_text()
    assert not list(service.folder.rglob("*.partial"))


def test_a_writer_that_does_not_keep_up_slows_nobody_and_what_is_dropped_is_counted(start: Start) -> None:
    service = start(ring=20_000, max_body_bytes=3_000_000)
    assert service.ask()[0] == 200
    service.written(1)
    os.kill(service.writer, signal.SIGSTOP)
    assert {service.ask()[0] for _ in range(200)} == {200}
    dropped = service.metric("slipway_capture_dropped_total", reason="full")
    assert 0 < dropped < 200
    assert service.ask("/feedback", b'{"request_id": "a", "label": 1}')[0] == 503
    wait_for(lambda: service.trouble() == "the process that writes does not answer")
    assert service.ask("/ready", None)[0] == 200
    assert b"\nslipway_capture_trouble 1.0\n" in service.ask("/metrics", None)[1]
    wait_for(lambda: "the capture writer has done nothing for" in service.log.read_text())
    os.kill(service.writer, signal.SIGCONT)
    service.written(201 - int(dropped))
    assert service.trouble() is None
    wait_for(lambda: "the capture writer is at work again" in service.log.read_text())
    assert captured(service.folder, "m").dropped == {"full": dropped}
    large = json.dumps({"dataframe_records": [ROW] * 2, "params": {"x": "y" * 1_000_000}}).encode()
    assert service.ask(body=large)[0] == 200
    assert service.metric("slipway_capture_dropped_total", reason="large") == 1


def test_a_writer_that_hangs_is_replaced_and_nothing_is_lost(start: Start) -> None:
    service = start(hung_s=6.0)
    assert service.ask()[0] == 200
    service.written(1)
    hung = service.writer
    os.kill(hung, signal.SIGSTOP)
    assert {service.ask()[0] for _ in range(20)} == {200}
    service.written(21)
    assert service.writer != hung
    assert re.search(r"has done nothing for \d+ s and is killed", service.log.read_text())


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "small"
    folder.mkdir()
    try:
        command = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(folder)]
        subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no disk can be mounted here to be filled: that takes root")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_full_disk_keeps_nobody_from_being_answered(start: Start, small_disk: Path) -> None:
    service = start(folder=small_disk / "capture")
    service.ask()
    service.written(1)
    with (small_disk / "filler").open("wb", buffering=0) as filler, contextlib.suppress(OSError):
        while True:
            filler.write(bytes(4096))
    assert service.ask(X_Request_Id="kept")[0] == 200
    wait_for(lambda: service.trouble() == "no segment can be written; the log says why")
    assert {service.ask()[0] for _ in range(20)} == {200}
    assert service.metric("slipway_capture_dropped_total", reason="disk") == 20
    assert service.ask("/feedback", b'{"request_id": "a", "label": 1}')[0] == 503
    time.sleep(1.0)  # it tries again, and says it once
    assert service.log.read_text().count("no segment can be written (No space left on device)") == 1
    assert not list(small_disk.rglob("*.partial"))
    (small_disk / "filler").unlink()
    rows = service.written(2)  # what was handed over before is written
    assert rows["slipway_request_id"].tolist()[-1] == "kept"
    wait_for(lambda: service.trouble() is None)
    assert service.ask("/feedback", b'{"request_id": "kept", "label": 1}')[0] == 200


@pytest.mark.parametrize(
    ("body", "status", "why"),
    [
        (b"{", 400, "the body is not JSON; labels are"),
        (b"[]", 400, "there is no label in the list"),
        (b'{"label": 1}', 400, "missing required field `request_id`"),
        (b'{"request_id": "a b", "label": 1}', 400, "matching regex"),
        (b'{"request_id": "a"}', 400, "there is neither of 'labels' and 'label'; exactly one is needed"),
        (b'{"request_id": "a", "label": 1, "labels": [1]}', 400, "there is both of"),
        (b'{"request_id": "a", "labels": []}', 400, "'labels' has to be a list with a label for each row"),
        (b'{"request_id": "a", "labels": [1, "x"]}', 400, "the label of row 1 is a text; it has to be a number"),
        (b'[{"request_id": "a", "label": null}]', 400, "in object 0 of the list the label of row 0 is null; it has"),
        (json.dumps({"request_id": "a", "labels": [1] * 21}).encode(), 413, "there are more than 20 labels"),
        (json.dumps([{"request_id": f"a{n}", "label": 1} for n in range(2000)]).encode(), 413, "more than 20"),
    ],
)
def test_labels_that_cannot_be_taken_are_refused_with_what_is_wrong(
    refusing: Service, body: bytes, status: int, why: str
) -> None:
    found, answer = refusing.ask("/feedback", body)
    assert found == status
    assert why in json.loads(answer)["message"]
    assert refusing.metric("slipway_feedback_total") == 0


@pytest.fixture(scope="module")
def refusing(files: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    base = tmp_path_factory.mktemp("refusing")
    service = Service(files, base / "capture", base / "serve.log", 1.0, 0.3, {"max_rows": 20})
    yield service
    service.supervisor.stop()


def test_labels_need_the_method_the_format_and_a_service_that_captures(start: Start, refusing: Service) -> None:
    assert refusing.ask("/feedback", None)[0] == 405
    assert refusing.ask("/feedback", b"1", Content_Type=CSV)[0] == 415
    service = start(share=0.0)
    status, answer = service.ask("/feedback", b'{"request_id": "a", "label": 1}')
    assert status == 404
    assert "start it with `slipway serve m --capture`" in json.loads(answer)["message"]
    assert "/feedback" not in json.loads(service.ask("/openapi.json", None)[1])["paths"]
    assert b"slipway_capture" not in service.ask("/metrics", None)[1]
    assert "capture" not in json.loads(service.ask("/ready", None)[1])
    assert service.supervisor.processes().capture_writer is None
    assert psutil.pid_exists(refusing.writer)
