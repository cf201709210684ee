"""`slipway serve` with a shadow and with a canary, beside a registry in which versions move, and the report."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion
from tests.helpers.receivers import web_hook
from tests.helpers.services import asked, get, port_of
from tests.helpers.waiting import wait_for

from slipway.registry.artifacts.local_cache import tell_moved
from slipway.registry.stages import move
from slipway.types import Stage

if TYPE_CHECKING:
    from conftest import Library

NAME = "armed_loans"  # of its own: what others count on is not given a second version


@pytest.fixture(scope="module")
def variant(library: "Library") -> int:
    """A second version, of the files of the one in Production: its answers are the same."""
    library.registered(NAME, of="late_loans", live=True)
    found: ModelVersion = library.client.get_model_version(NAME, "1")
    made = library.past.create_model_version(NAME, found.source, found.run_id, tags=dict(found.tags))
    return int(made.version)


@contextmanager
def serving(library: "Library", *words: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    command = [sys.executable, "-m", "slipway", "serve", NAME, "--port", "0", "--json", *words]
    with subprocess.Popen(
        command,
        env=library.environment(),
        cwd=library.project,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process, port_of(process)
        finally:
            process.kill()


def put(library: "Library", version: int, stage: Stage) -> None:
    """Move a version past the gates, which are tested elsewhere."""
    move(MlflowClient(library.store, library.store), NAME, version, stage)
    tell_moved(library.home, NAME)


def ready(port: int, role: str) -> dict[str, object]:
    said: dict[str, object] = json.loads(get(port, "/ready")[1])["models"][NAME][role]
    return said


def body(library: "Library", version: int) -> bytes:
    example = library.home / "models" / NAME / str(version) / "serving_input_example.json"
    return example.read_bytes()


def test_a_canary_follows_its_stage_and_the_report_shows_what_was_seen_of_it(library: "Library", variant: int) -> None:
    first = library.in_production(NAME)
    with serving(library, "--canary", "Staging=50%", "--judge-after", "50", "--max-slower", "500ms") as (process, port):
        assert ready(port, "canary")["state"] == "none"  # nobody is in Staging, which is no reason not to start
        put(library, variant, Stage.STAGING)
        wait_for(lambda: ready(port, "canary").get("version") == variant)
        sent = body(library, first)
        answers = {key: asked(port, key, body=sent) for key in map(str, range(40))}
        assert {status for status, _, _ in answers.values()} == {200}
        assert {version for _, version, _ in answers.values()} == {str(first), str(variant)}
        assert len({said for _, _, said in answers.values()}) == 1
        assert all(asked(port, key, body=sent) == answer for key, answer in answers.items())
        wait_for(lambda: metric(port, "slipway_canary_compared_total") > 20)
        put(library, variant, Stage.ARCHIVED)
        wait_for(lambda: ready(port, "canary")["state"] == "none")
        assert {asked(port, key, body=sent)[1] for key in answers} == {str(first)}
        process.send_signal(signal.SIGTERM)
        assert process.wait(120) == 0
    page = report(library)
    assert f"Version {variant} (Staging) answered 50.0% of the callers beside version {first}" in page
    assert "Rows answered otherwise, of" in page


@pytest.mark.release
def test_the_end_of_a_canary_is_told_once_by_the_service_itself(library: "Library", variant: int) -> None:
    """The home has a server that began before it had a notices.yaml, so the service alone sends."""
    first, file = library.in_production(NAME), library.home / "notices.yaml"
    with web_hook() as receiver:
        file.write_text(
            f"channels: [{{name: hook, kind: webhook, url: 'http://127.0.0.1:{receiver.port}/', notices: [canary_ended]}}]\n"
        )
        try:
            with serving(library, "--canary", "Staging=50%", "--judge-after", "20", "--max-slower", "0.001ms") as (
                _,
                port,
            ):
                put(library, variant, Stage.STAGING)
                wait_for(lambda: ready(port, "canary").get("version") == variant)
                sent = body(library, first)
                wait_for(
                    lambda: (
                        [asked(port, str(key), body=sent) for key in range(20)]
                        and ready(port, "canary")["state"] == "ended"
                    )
                )
                receiver.wait_for(lambda: len(receiver.got) == 1)
            with serving(library):  # it finds the record of the one that was killed
                pass
        finally:
            file.unlink()
            put(library, variant, Stage.ARCHIVED)
    (told,) = [json.loads(content) for _, content, _ in receiver.got]
    assert (told["kind"], told["model"], told["version"]) == ("canary_ended", NAME, variant)
    assert "the 99th percentile" in told["text"] and f"version {first} answers every caller" in told["text"]


def test_a_shadow_of_a_version_is_compared_with_production_whatever_its_stage(library: "Library", variant: int) -> None:
    first = library.in_production(NAME)
    with serving(library, "--shadow", str(variant)) as (process, port):
        wait_for(lambda: ready(port, "shadow").get("version") == variant)
        sent = body(library, first)
        assert {asked(port, str(key), body=sent)[1] for key in range(60)} == {str(first)}
        wait_for(lambda: metric(port, "slipway_shadow_compared_total") >= 60)
        assert metric(port, "slipway_shadow_disagreements_total") == 0
        assert metric(port, "slipway_shadow_distance_count") > 0  # of the probabilities behind the labels
        process.send_signal(signal.SIGTERM)
        assert process.wait(120) == 0
    page = report(library)
    assert f"Version {variant} ({variant}) answered all of the requests, unheard, beside version {first}" in page


def metric(port: int, name: str) -> float:
    lines = get(port, "/metrics")[1].decode().splitlines()
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(f"{name}{{"))


def report(library: "Library") -> str:
    made = library.done("report", NAME, "--output", library.project / "arms.html")
    return " ".join(Path(made["report"]).read_text().split())
