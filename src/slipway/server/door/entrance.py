"""The order in which a request passes the door: its origin, its login, the limits of its body."""

from typing import Any

from mlflow.environment_variables import MLFLOW_SERVER_DISABLE_SECURITY_MIDDLEWARE
from mlflow.server.fastapi_security import get_allowed_hosts
from mlflow.server.security_utils import get_allowed_origins_from_env, is_allowed_host_header, is_health_endpoint
from starlette.middleware import Middleware
from starlette.routing import Route

from slipway.server.door.asgi import Scope, header
from slipway.server.door.bodies import BodyLimit
from slipway.server.door.counts import Counts
from slipway.server.door.login import Accounts, Login
from slipway.server.door.origins import Origins
from slipway.tracking.address import require_origins


def put_before(app: Any, accounts: Accounts | None, prefix: str) -> None:
    """Put the door before an app of FastAPI, so that nothing of the app reads a request that is refused there.

    The allowed origins are those of `mlflow server --cors-allowed-origins`, which `slipway up --allow-origin` passes on.

    Without `accounts` nobody logs in, or MLflow's auth asks for something else than a password. Every path of the app begins
    with `prefix`.

    Raises UsageError for an allowed origin that is none, such as a pattern.
    """
    counts = Counts()
    allowed = require_origins(get_allowed_origins_from_env() or ())
    login = [Middleware(Login, accounts=accounts, counts=counts)] if accounts else []
    app.user_middleware[:0] = [
        Middleware(Origins, allowed=allowed, is_host=_is_host, counts=counts),
        *login,
        Middleware(BodyLimit, counts=counts),
    ]
    app.router.routes.insert(0, Route(f"{prefix.rstrip('/')}/slipway/metrics", counts.answer))


def _is_host(scope: Scope) -> bool:
    """Say whether MLflow answers to the name by which it is asked, as it says itself once it is asked."""
    if MLFLOW_SERVER_DISABLE_SECURITY_MIDDLEWARE.get() == "true" or is_health_endpoint(scope["path"]):
        return True
    return bool(is_allowed_host_header(get_allowed_hosts(), header(scope, b"host") or ""))
