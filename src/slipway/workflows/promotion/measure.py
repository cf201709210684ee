"""Measurements of a version beside its answers, for the gates that ask for them: latency, size, a second fit, age.

Few experiments ask for a latency or a second fit, so the service and the search that measure them are imported on demand.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import pandas as pd
import requests
from numpy.typing import NDArray

from slipway.core.gates import Latency, Measured, Reproduced
from slipway.errors import ServiceFailed, SlipwayError
from slipway.progress import step
from slipway.registry.artifacts.models import inputs_of
from slipway.registry.trust import DIGEST
from slipway.settings import Settings
from slipway.workflows.endpoint.endpoint import own_log
from slipway.workflows.promotion.judged_inputs import JudgedInputs
from slipway.workflows.session import resolve_tracking_uri

# The 99th percentile of fewer requests depends on the slowest two or three.
_REQUESTS = 500


def measure_for(settings: Settings, inputs: JudgedInputs, gates: Sequence[str], trusted: Sequence[str]) -> Measured:
    """Measure what the named gates ask for. A measurement that fails becomes the gate's problem; nothing is raised."""
    problems: dict[str, str] = {}

    def tried(gate: str, measured: Callable[[], Any]) -> Any:
        if gate not in gates:
            return None
        try:
            return measured()
        except SlipwayError as error:
            problems[gate] = str(error).splitlines()[0]
            return None

    return Measured(
        latency=tried("latency", lambda: _latency(settings, inputs, trusted)),
        size_bytes=tried("size", lambda: _size(inputs.files)),
        reproduced=tried("reproducible", lambda: _reproduced(settings, inputs)),
        age_days=tried("freshness", lambda: _age_days(inputs)),
        problems=problems,
    )


def _latency(settings: Settings, inputs: JudgedInputs, trusted: Sequence[str]) -> Latency:
    """Measure the latency of a service as `slipway serve` starts it, on requests of one test row."""
    from slipway.serving.config import ServingConfig
    from slipway.serving.supervisor.generation import WantedVersion
    from slipway.workflows.endpoint.load import PRELOAD, Order
    from slipway.workflows.endpoint.service import start_service

    version, tested = inputs.version, inputs.rows.tested.rows
    rows = tested[list(inputs_of(inputs.files))].sample(_REQUESTS, replace=True, random_state=0)
    log = partial(own_log, settings, f"latency-{version.name}-{version.number}")
    digest = version.tags[DIGEST]
    order = Order(version.name, version.number, digest, inputs.files, resolve_tracking_uri(settings), tuple(trusted))
    wanted = WantedVersion(version.name, version.number, digest, version.stage, order, PRELOAD)
    with step(f"latency: {_REQUESTS} requests of one row"):
        service = start_service([wanted], host="127.0.0.1", port=0, config=ServingConfig(), log=log)
        try:
            taken = latencies_ms(service.url, [_body(rows.iloc[[i]]) for i in range(len(rows))])
        finally:
            service.stop()
    return Latency(float(np.median(taken)), float(np.percentile(taken, 99)), len(taken))


def _body(row: pd.DataFrame) -> str:
    return f'{{"dataframe_split": {row.to_json(orient="split", index=False, date_format="iso")}}}'


def _size(files: Path) -> int:
    return sum(path.stat().st_size for path in files.rglob("*") if path.is_file())


def _reproduced(settings: Settings, inputs: JudgedInputs) -> Reproduced:
    from slipway.workflows.training.reproduce import reproduce

    again = reproduce(settings, inputs.version.name, inputs.version.number)
    return Reproduced(again.rows, again.different, again.largest)


def _age_days(inputs: JudgedInputs) -> float:
    newest = inputs.rows.tested.rows[str(inputs.rows.experiment.data.time)].max()
    return float((datetime.now(UTC).replace(tzinfo=None) - newest).total_seconds() / 86400)


_WARM_UP = 20
_TIMEOUT_S = 30.0


def latencies_ms(url: str, bodies: Sequence[str]) -> NDArray[np.float64]:
    """Post each body to `url`/invocations, one after the other over one connection; return milliseconds, shape (bodies,).

    bodies: JSON requests. The first of them are sent once more before, since a fresh service is slower.
    Raises ServiceFailed when a request is not answered with 200.
    """
    with requests.Session() as session:
        session.headers["Content-Type"] = "application/json"
        for body in bodies[:_WARM_UP]:
            _asked(session, url, body)
        return np.array([_asked(session, url, body) for body in bodies])


def _asked(session: requests.Session, url: str, body: str) -> float:
    began = perf_counter()
    try:
        answer = session.post(f"{url}/invocations", data=body, timeout=_TIMEOUT_S)
    except requests.RequestException as error:
        raise ServiceFailed(f"the service at {url} did not answer ({type(error).__name__})") from None
    took = (perf_counter() - began) * 1000
    if answer.status_code != 200:
        raise ServiceFailed(f"the service at {url} refused a test row with status {answer.status_code}")
    return took
