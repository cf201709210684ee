"""Artifacts that no endpoint changes: those of ledgers, of registered versions, and of the runs that these were made by."""

import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import anyio.to_thread
from flask import Response, request
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import PERMISSION_DENIED
from mlflow.server import handlers
from mlflow.utils.uri import validate_path_is_safe
from starlette.responses import Response as StarletteResponse

from slipway.server.keeper import Keeper
from slipway.server.origins import made_by
from slipway.server.rules import is_ledger, is_model, owners

Scope = MutableMapping[str, Any]
_UPLOAD = re.compile(r".*/(?:ajax-)?api/2\.0/mlflow-artifacts/artifacts/(?P<path>.+)", re.DOTALL)


class ArtifactGuard:
    """ASGI middleware for the uploads that MLflow answers before Flask is asked."""

    def __init__(self, app: Callable[..., Awaitable[None]], keeper: Keeper) -> None:
        self._app, self._keeper = app, keeper

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and scope["method"] not in ("GET", "HEAD", "OPTIONS", "DELETE", "POST"):
            found = _UPLOAD.fullmatch(scope["path"])
            if found and (reason := await anyio.to_thread.run_sync(why_kept, self._keeper, found["path"])):
                error = MlflowException(reason, PERMISSION_DENIED)
                answer = StarletteResponse(error.serialize_as_json(), 403, media_type="application/json")
                return await answer(scope, receive, send)
        return await self._app(scope, receive, send)


def refuse_kept(keeper: Keeper) -> Response | None:
    """Answer a Flask request that would change an artifact that is kept; None lets it through."""
    reason = None
    if request.endpoint in _BY_PATH:
        path = (request.view_args or {}).get("artifact_path", "")
        reason = why_kept(keeper, path, delete=request.method == "DELETE")
    elif request.endpoint == "serve_upload_artifact":
        reason = _why_kept_of(keeper, request.args.get("run_uuid", ""))
    elif request.endpoint == "_create_presigned_upload_url":
        asked = handlers._get_request_message(handlers.CreatePresignedUploadUrl())
        reason = _why_kept_of(keeper, asked.run_id or asked.model_id)
    if reason is None:
        return None
    return Response(MlflowException(reason, PERMISSION_DENIED).serialize_as_json(), 403, mimetype="application/json")


_BY_PATH = (
    "_upload_artifact",
    "_delete_artifact_mlflow_artifacts",
    "_create_multipart_upload_artifact",
    "_complete_multipart_upload_artifact",
    "_abort_multipart_upload_artifact",
)


def why_kept(keeper: Keeper, path: str, *, delete: bool = False) -> str | None:
    """Return why a path below the artifact root may not be written or deleted; None when it may."""
    try:
        path = validate_path_is_safe(path)
    except MlflowException:
        return None  # MLflow refuses it itself
    found = owners(path)
    if delete and not found and "traces" not in path.split("/"):
        return "whole folders of experiments are not deleted through the server: delete the artifacts of single runs"
    reasons = (_why_kept_of(keeper, owner) for owner in found)
    return next((reason for reason in reasons if reason), None)


def _why_kept_of(keeper: Keeper, owner: str) -> str | None:
    kind = "model" if is_model(owner) else "run"
    if kind == "run":
        try:
            run = keeper.client.get_run(owner)
        except MlflowException:
            return None
        if is_ledger(keeper.client.get_experiment(run.info.experiment_id).name):
            return "this run is of a ledger: only Slipway's own server writes there"
    version = made_by(handlers._get_model_registry_store(), kind, owner)
    if version is None:
        return None
    return (
        f"these are files of {version.name} version {version.version}, or of the run that it was made by, which stay as they "
        "were registered; register another version"
    )
