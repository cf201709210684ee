"""How long a service takes to answer single rows, as a caller on the same machine sees it."""

from collections.abc import Sequence
from time import perf_counter

import numpy as np
import requests
from numpy.typing import NDArray

from slipway.errors import ServiceFailed

_WARM_UP = 20
_TIMEOUT_S = 30.0


def latencies_ms(url: str, bodies: Sequence[str]) -> NDArray[np.float64]:
    """Post each body to `url`/invocations, one after the other over one connection, and return the time each took.

    bodies: JSON requests; the first of them are asked once before, since a fresh service is slower. Shape (bodies,).
    Raises ServiceFailed when one is not answered with 200.
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
