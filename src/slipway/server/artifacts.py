"""The guard of artifacts that no request may change: those of ledgers, of registered versions, and of the runs behind them."""

import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import anyio.to_thread
from flask import Response, request
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import PERMISSION_DENIED
from mlflow.protos.service_pb2 import CreatePresignedUploadUrl
from mlflow.utils.mlflow_tags import MLFLOW_ARTIFACT_LOCATION
from mlflow.utils.uri import validate_path_is_safe
from starlette.responses import Response as StarletteResponse

from slipway.server._mlflow import request_message, tracking_store
from slipway.server.own_stores import OwnStores, below_root, outside
from slipway.server.reserved_names import holds_runs, is_below, is_elsewhere, is_ledger, is_model, is_within, owners
from slipway.server.version_sources import place_of

Scope = MutableMapping[str, Any]
# The first match is the route. A path of an artifact may look like the route once more, so the search is not greedy.
_UPLOAD = re.compile(r".*?/(?:ajax-)?api/2\.0/mlflow-artifacts/artifacts/(?P<path>.+)", re.DOTALL)


class ArtifactGuard:
    """ASGI middleware that guards the uploads, which MLflow answers in FastAPI, before Flask and its hooks."""

    def __init__(self, app: Callable[..., Awaitable[None]], stores: OwnStores) -> None:
        self._app, self._stores = app, stores

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        writes = scope["type"] == "http" and scope["method"] not in ("GET", "HEAD", "OPTIONS", "DELETE", "POST")
        upload = _UPLOAD.fullmatch(scope["path"]) if writes else None
        if upload is None:
            return await self._app(scope, receive, send)
        path = upload["path"]

        async def require_free() -> None:
            if reason := await anyio.to_thread.run_sync(why_kept, self._stores, path):
                raise _Kept(reason, PERMISSION_DENIED)

        async def received() -> Any:
            message = await receive()
            if not message.get("more_body"):  # the sender of a slow body may have registered a version meanwhile
                await require_free()
            return message

        try:
            await require_free()
            await self._app(scope, received, send)
        except _Kept as error:
            answer = StarletteResponse(error.serialize_as_json(), 403, media_type="application/json")
            await answer(scope, receive, send)
        return None


class _Kept(MlflowException):  # type: ignore[misc]
    """Raised while a body is read, so that MLflow drops the part of the body that it has."""


def refuse_kept(stores: OwnStores) -> Response | None:
    """Answer a Flask request that would change a kept artifact, or read outside a trace, with 403; let any other through."""
    reason = None
    if request.endpoint in _BY_PATH:
        path = (request.view_args or {}).get("artifact_path", "")
        reason = why_kept(stores, path, delete=request.method == "DELETE")
    elif request.endpoint == "serve_upload_artifact":
        run = request.args.get("run_uuid", "")
        reason = _why_kept_of(stores, run) or _why_elsewhere(stores, run)
    elif request.endpoint == "serve_create_promptlab_run":  # it writes the artifacts of the new run itself
        asked = request.get_json(silent=True)
        reason = _why_elsewhere_in(stores, str(asked.get("experiment_id") if isinstance(asked, dict) else ""))
    elif request.endpoint == "serve_get_trace_artifact":
        reason = _why_not_of_trace(stores, request.args.get("request_id", ""))
    elif request.endpoint == "_create_presigned_upload_url":
        try:
            message = request_message(CreatePresignedUploadUrl())
        except MlflowException:
            return None  # MLflow refuses it itself
        owner = message.run_id or message.model_id
        reason = _why_kept_of(stores, owner) or _why_elsewhere(stores, owner)
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


def why_kept(stores: OwnStores, path: str, *, delete: bool = False) -> str | None:
    """Return why a path below the artifact root may not be written or deleted; None when it may be."""
    try:
        path = validate_path_is_safe(path)
    except MlflowException:
        return None  # MLflow refuses it itself
    if is_within(path, stores.ledger_locations()):
        return _OF_A_LEDGER
    ids = owners(path)
    known = ids or "traces" in path.split("/")
    if delete and (not known or holds_runs(path, stores.locations())):
        return "whole folders of experiments are not deleted through the server: delete the artifacts of single runs"
    reasons = (_why_kept_of(stores, owner, path) for owner in ids)
    return next((reason for reason in reasons if reason), None)


def _why_elsewhere(stores: OwnStores, owner: str) -> str | None:
    """Return why the server writes no artifact of a run or model: its experiment was made before `outside` was asked."""
    try:
        return outside(place_of(stores.client, owner))
    except MlflowException:
        return None  # MLflow refuses it itself


def _why_not_of_trace(stores: OwnStores, trace_id: str) -> str | None:
    """Return why the server reads no artifact of a trace: its tag, which anybody may set, names a place that is not its own."""
    try:
        trace = tracking_store().get_trace_info(trace_id)
        experiment = stores.client.get_experiment(trace.experiment_id)
    except MlflowException:
        return None  # MLflow refuses it itself
    place = trace.tags.get(MLFLOW_ARTIFACT_LOCATION, "")
    own = f"{experiment.artifact_location.rstrip('/')}/traces/{trace_id}"
    if not place or is_below(place, own):
        return None
    return f"'{place[:200]}' is not a folder of the trace {trace_id}, from which alone the server reads: its are below {own}"


_OF_A_LEDGER = (
    "this is the folder of a ledger: only Slipway's own server writes there; `slipway history` reads it. Files of your own "
    "belong to a run of your own"
)


def _why_elsewhere_in(stores: OwnStores, experiment: str) -> str | None:
    """Return why the server writes no artifact of a new run of an experiment; None where it may."""
    try:
        return outside(stores.client.get_experiment(experiment).artifact_location)
    except MlflowException:
        return None  # MLflow refuses it itself


def _why_kept_of(stores: OwnStores, owner: str, path: str | None = None) -> str | None:
    """Return why the artifacts of a run or model are kept; None when they are not.

    Args:
        stores: the server's own stores.
        owner: the id of the run or model.
        path: a file that may be among its artifacts, or may only have the id in its name; None for all artifacts.
    """
    client = stores.client
    try:
        run = None if is_model(owner) else client.get_run(owner).info
        kept_in = run.artifact_uri if run else client.get_logged_model(owner).artifact_location
    except MlflowException:
        if not is_model(owner):
            return None
        run, kept_in = None, ""
    if path is not None and is_elsewhere(path, kept_in):
        return None
    if run and is_ledger(client.get_experiment(run.experiment_id).name):
        return _OF_A_LEDGER
    if path is None and is_within(below_root(kept_in), stores.ledger_locations()):
        return _OF_A_LEDGER
    version = tracking_store().version_of("model" if is_model(owner) else "run", owner)
    if version is None:
        return None
    return (
        f"these are files of {version.name} version {version.version}, or of the search that it was made by, which stay as "
        "they were registered; register another version"
    )
