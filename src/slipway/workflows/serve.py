"""`slipway serve`: the version of a stage behind a REST endpoint, with MLflow's own scoring server."""

import json
import shlex
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from slipway.errors import UntrustedModel
from slipway.registry.fetch import fetch_verified
from slipway.registry.models import input_example
from slipway.registry.trust import require_trusted_configuration
from slipway.registry.versions import Version, version_in
from slipway.serving.mlflow_engine import Service, start_service
from slipway.settings import Settings
from slipway.tracking.client import connect
from slipway.types import Stage
from slipway.workflows.platform import resolve_tracking_uri
from slipway.workflows.project import trusted_types


@dataclass(frozen=True)
class Serving:
    """An endpoint that answers until `stop`. example: a request body that it accepts, as JSON."""

    version: Version
    service: Service
    example: str | None

    @property
    def url(self) -> str:
        return self.service.url

    @property
    def curl(self) -> str:
        """A line for the shell that asks the endpoint about the model's own input example."""
        body = json.dumps(_without_nan(json.loads(self.example or "{}")))
        return f"curl -s {self.url}/invocations -H 'Content-Type: application/json' -d {shlex.quote(body)}"

    def stay(self) -> None:
        """Serve until Ctrl-C or SIGTERM, then stop. Raises ServiceFailed when the service ends by itself."""
        try:
            self.service.wait()
        except KeyboardInterrupt:  # asked for, so it is no failure
            pass
        finally:
            self.stop()

    def stop(self) -> None:
        self.service.stop()

    def as_dict(self) -> dict[str, Any]:
        return {
            **self.version.facts(),
            "url": self.url,
            "invocations": f"{self.url}/invocations",
            "log": str(self.service.log),
        }

    def __str__(self) -> str:
        return (
            f"{self.version.name} version {self.version.number} ({self.version.stage}) answers at {self.url}/invocations\n"
            f"try it:  {self.curl}\n"
            f"its log is {self.service.log}; Ctrl-C stops it."
        )


def serve(
    settings: Settings,
    name: str,
    *,
    stage: Stage = Stage.PRODUCTION,
    host: str = "127.0.0.1",
    port: int = 5001,
    timeout_s: float = 120.0,
) -> Serving:
    """Serve the version of `name` that holds `stage` and return when it answers.

    The model is served from a copy whose bytes are those that were registered, and which trusts no type but ours.
    port: this very one, or any free one for 0.
    Raises UnknownName when no version holds that stage, UntrustedModel, NoServer, and what `start_service` raises.
    """
    tracking_uri = resolve_tracking_uri(settings)
    version = version_in(connect(tracking_uri), name, stage)
    files = _verified_copy(settings, version)
    require_trusted_configuration(files, trusted_types(settings, name))
    log = settings.home / "logs" / f"serve-{name}-{stage}.log"
    service = start_service(str(files), tracking_uri=tracking_uri, host=host, port=port, log=log, timeout_s=timeout_s)
    return Serving(version, service, input_example(files))


def _without_nan(value: Any) -> Any:
    """The same JSON value with null for NaN, which Python writes and nobody else reads."""
    if isinstance(value, dict):
        return {key: _without_nan(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_without_nan(inner) for inner in value]
    return None if isinstance(value, float) and value != value else value


def _verified_copy(settings: Settings, version: Version) -> Path:
    """A copy in the home folder: the one that is there when its bytes are right, or a new one."""
    folder = settings.home / "models" / version.name / str(version.number)
    try:
        return fetch_verified(version, folder)
    except UntrustedModel:
        shutil.rmtree(folder, ignore_errors=True)  # what is there may be an older or a broken copy
        return fetch_verified(version, folder)
