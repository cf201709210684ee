"""`slipway serve --engine mlflow`: one version behind MLflow's own scoring server."""

import shutil
from functools import partial
from pathlib import Path

from slipway.errors import UntrustedModel
from slipway.registry.artifacts.fetch import fetch_verified
from slipway.registry.artifacts.models import input_example
from slipway.registry.trust import require_as_written
from slipway.registry.versions import Version, get_version, version_in
from slipway.serving.mlflow_engine import start_service
from slipway.settings import Settings
from slipway.tracking.client import connect
from slipway.types import Stage
from slipway.workflows.endpoint.endpoint import Endpoint, ServedVersion, own_log
from slipway.workflows.project import trusted_types
from slipway.workflows.session import resolve_tracking_uri


def serve_with_mlflow(
    settings: Settings,
    name: str,
    *,
    stage: Stage = Stage.PRODUCTION,
    number: int | None = None,
    host: str = "127.0.0.1",
    port: int = 5001,
    timeout_s: float = 120.0,
) -> Endpoint:
    """Serve one version of a model for good, and return when it answers.

    The model is served from a verified copy, which may hold no type but the trusted ones.

    Args:
        settings: the tracking server, the home and the types that are trusted.
        name: the registered model.
        stage: the stage whose version is served, unless a number is given.
        number: the version's number.
        host: the address to listen on.
        port: the port to listen on; 0 for any free one.
        timeout_s: how long the version may take to answer.

    Raises UnknownName when there is no such version, UntrustedModel, NoServer, and the errors of `start_service`.
    """
    tracking_uri = resolve_tracking_uri(settings)
    client = connect(tracking_uri)
    version = get_version(client, name, number) if number else version_in(client, name, stage)
    files = _verified_copy(settings, version)
    require_as_written(files, trusted_types(settings, name, lambda: (client, version)))
    log = partial(own_log, settings, f"serve-{name}-{number or stage}")
    service = start_service(str(files), tracking_uri=tracking_uri, host=host, port=port, log=log, timeout_s=timeout_s)
    return Endpoint(
        (ServedVersion(name, version.number, version.stage, version.run_id, input_example(files)),), service
    )


def _verified_copy(settings: Settings, version: Version) -> Path:
    """Return the copy of a version in the home: the one that is there if its bytes are right, else a new one."""
    folder = settings.home / "models" / version.name / str(version.number)
    try:
        return fetch_verified(version, folder)
    except UntrustedModel:
        shutil.rmtree(folder, ignore_errors=True)  # broken, of another model of this name, or compiled by Python since
        return fetch_verified(version, folder)
