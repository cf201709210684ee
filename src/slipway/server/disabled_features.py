"""Features of MLflow's server that would get past the guard of its stores, and how they are turned off."""

import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from mlflow.environment_variables import MLFLOW_SERVER_ENABLE_JOB_EXECUTION
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import PERMISSION_DENIED
from starlette.responses import Response

_ASSISTANT = re.compile(r".*?/ajax-api/3\.0/mlflow/assistant(?:/.*)?", re.DOTALL)
_REFUSED = (
    "MLflow's assistant runs commands as the user of the server, to whom nothing is refused; "
    "use it on a tracking server of your own"
)


def take_no_jobs() -> None:
    """Let MLflow refuse its jobs, which run in processes of their own and write straight to the database."""
    MLFLOW_SERVER_ENABLE_JOB_EXECUTION.set(False)


class NoAssistant:
    """ASGI middleware that refuses every request by which MLflow's assistant is set up or talked to.

    MLflow's UI may still ask whether there is an assistant.
    """

    def __init__(self, app: Callable[..., Awaitable[None]]) -> None:
        self._app = app

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        changes = scope["type"] == "http" and scope["method"] not in ("GET", "HEAD", "OPTIONS")
        if not changes or not _ASSISTANT.fullmatch(scope["path"]):
            return await self._app(scope, receive, send)
        body = MlflowException(_REFUSED, PERMISSION_DENIED).serialize_as_json()
        await Response(body, 403, media_type="application/json")(scope, receive, send)
        return None
