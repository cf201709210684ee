"""The client of a guarded server's history, made without MLflow's client, whose import takes longer than the answer."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

ROOT = "/api/2.0/slipway"
"""The path under which a guarded server has routes of its own."""
MOST_TRANSITIONS = 1000
"""The most transitions that one request returns."""
_TIMEOUT_S = 10.0


def snapshot(
    uri: str, model: str, asked: Mapping[str, str], auth: tuple[str, str] | str | None
) -> Mapping[str, Any] | None:
    """Return the answer of a guarded server's history route; None when there is no such answer, for whatever reason.

    The caller then asks through MLflow's client, which knows plain servers, databases and more settings, and explains failures.

    Args:
        uri: of the tracking server.
        model: the registered model.
        asked: the parameter `last` or `at`.
        auth: user and password, or a token alone; None for neither.
    """
    if not uri.startswith(("http://", "https://")):
        return None
    import requests

    token = {"Authorization": f"Bearer {auth}"} if isinstance(auth, str) else {}
    address = f"{uri.rstrip('/')}{ROOT}/models/{quote(model, safe='')}/history"
    pair = auth if isinstance(auth, tuple) else None
    try:
        answer = requests.get(address, asked, headers=token, auth=pair, timeout=_TIMEOUT_S, allow_redirects=False)
        payload = answer.json() if answer.status_code == 200 else None
    except (requests.RequestException, ValueError):
        return None
    return payload if isinstance(payload, dict) else None
