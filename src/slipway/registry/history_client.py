"""What a guarded server tells of a model's past: asked without MLflow's client, whose import takes longer than the answer."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

ROOT = "/api/2.0/slipway"
"""Where a guarded server has routes of its own."""
MOST_TRANSITIONS = 1000
"""Movements that are snapshot at once."""
_TIMEOUT_S = 10.0


def snapshot(
    uri: str, model: str, asked: Mapping[str, str], auth: tuple[str, str] | str | None
) -> Mapping[str, Any] | None:
    """Return what is answered to one request; None from whoever does not answer it, for whatever reason.

    Then MLflow's client is asked instead: it knows plain servers and databases, more settings, and how to say what is wrong.
    asked: `last` or `at`. auth: user and password, or a token alone.
    """
    if not uri.startswith(("http://", "https://")):
        return None
    import requests

    token = {"Authorization": f"Bearer {auth}"} if isinstance(auth, str) else {}
    address = f"{uri.rstrip('/')}{ROOT}/models/{quote(model, safe='')}/history"
    pair = auth if isinstance(auth, tuple) else None
    try:
        answer = requests.get(address, asked, headers=token, auth=pair, timeout=_TIMEOUT_S, allow_redirects=False)
        said = answer.json() if answer.status_code == 200 else None
    except (requests.RequestException, ValueError):
        return None
    return said if isinstance(said, dict) else None
