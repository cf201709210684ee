"""`slipway demo`: the whole path on real flights, from nothing to an answer over REST.

server → search → Staging → Production → endpoint → one request. Each step is a command that a person would type.
"""

import importlib
import json
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import click

from slipway.errors import ServiceFailed
from slipway.forkserver import warm_up
from slipway.progress import step
from slipway.settings import Settings
from slipway.types import HELD_STAGES
from slipway.workflows.platform import Platform, down, up

EXPERIMENT = "flight_delays"
TRIALS = 8
_ANY_PORT = 0


def demo(settings: Settings, *, once: bool = False, trials: int | None = None) -> None:
    """Go the whole path and stay up until Ctrl-C; with `once`, return after the first answer.

    Raises ServiceFailed when the endpoint answers without predictions.
    """
    with _platform(settings, once) as platform:
        from slipway.registry.watch import Followed
        from slipway.workflows.release.history import history
        from slipway.workflows.release.promote import promote
        from slipway.workflows.run import run
        from slipway.workflows.serve import serve

        at = replace(settings, tracking_uri=platform.server.uri)
        _say(f"$ slipway run {EXPERIMENT} --trials {trials or TRIALS}")
        done = run(at, EXPERIMENT, trials=trials or TRIALS)
        click.echo(str(done))
        number = done.registered.version.number
        for stage in HELD_STAGES:
            _say(f"$ slipway promote {EXPERIMENT} {number} {stage}")
            promote(at, EXPERIMENT, number, stage, "the demo")
        click.echo(str(history(at, EXPERIMENT)))
        _say(f"$ slipway serve {EXPERIMENT}")
        with step("endpoint"):
            serving = serve(at, [Followed(EXPERIMENT)], port=_ANY_PORT if once else 5001)
        try:
            answer = _ask(serving.url, serving.example or "")
            _say("ready")
            click.echo(f"  MLflow UI   {platform.server.uri}\n  endpoint    {serving.url}/invocations\n")
            click.echo(f"{serving.curl}\n{answer}")
            if not once:
                click.echo("\nCtrl-C stops both.")
                serving.stay()
        finally:
            serving.stop()


@contextmanager
def _platform(settings: Settings, once: bool) -> Iterator[Platform]:
    warm_up()
    # MLflow, scikit-learn and pandas take seconds to import, so they are imported while the server starts.
    threading.Thread(target=importlib.import_module, args=["slipway.workflows.run"], daemon=True).start()
    with step("MLflow server"):
        platform = up(settings, port=_ANY_PORT if once else None, detach=True)
    try:
        yield platform
    finally:
        if not platform.server.adopted:
            down(settings)


def _ask(url: str, body: str) -> str:
    """Send the model's own example and return the answer. Raises ServiceFailed when the answer holds no predictions."""
    request = urllib.request.Request(f"{url}/invocations", body.encode(), {"Content-Type": "application/json"})  # noqa: S310
    with urllib.request.urlopen(request, timeout=30) as answered:  # noqa: S310 - our own endpoint on this machine
        answer: str = answered.read().decode()
    predictions: Any = json.loads(answer).get("predictions")
    if not isinstance(predictions, list) or not predictions:
        raise ServiceFailed(f"{url}/invocations answered without predictions: {answer[:200]}")
    return answer


def _say(text: str) -> None:
    click.secho(f"\n{text}", bold=True)
