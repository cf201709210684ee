"""The watch of the version that a service serves: one cheap request a second to the registry, without MLflow's client."""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Protocol

import requests

from slipway.errors import NoServer, UnknownName
from slipway.registry.absent import ABSENT
from slipway.types import Stage

_API = "/api/2.0/mlflow/"
_DIGEST = "slipway.artifact_digest"  # trust.DIGEST, whose module imports scikit-learn


@dataclass(frozen=True)
class Followed:
    """The version that a service follows: the holder of a stage, or one version for good."""

    name: str
    stage: Stage = Stage.PRODUCTION
    version: int | None = None

    @property
    def label(self) -> str:
        """Return a name for file names and logs: the model with the version or the stage."""
        return f"{self.name}-{self.version or self.stage}"

    def __str__(self) -> str:
        return f"{self.name} version {self.version}" if self.version else f"{self.name} in {self.stage}"


@dataclass(frozen=True)
class Seen:
    """A version as the registry has it. digest: of the bytes that were registered; None for a version without one."""

    version: int
    stage: Stage
    digest: str | None
    run_id: str


class Looks(Protocol):
    """A place that can be asked for the version that is followed. uri: its address."""

    uri: str

    def look(self, followed: Followed) -> Seen:
        """Return the version that is followed. Raises UnknownName when there is none, NoServer when nobody answers."""


class Watch:
    """A watch of a tracking server over HTTP. auth: user and password, or a token alone; None for neither."""

    def __init__(self, uri: str, auth: tuple[str, str] | str | None = None, timeout_s: float = 5.0):
        self.uri, self._timeout_s = uri.rstrip("/"), timeout_s
        self._session = requests.Session()
        if isinstance(auth, str):
            self._session.headers["Authorization"] = f"Bearer {auth}"
        elif auth:
            self._session.auth = auth

    def look(self, followed: Followed) -> Seen:
        """Return the version that is followed. Raises UnknownName when there is none, NoServer when nobody answers."""
        name = followed.name
        if followed.version:
            answer = self._get("model-versions/get", {"name": name, "version": str(followed.version)})
            row = answer.get("model_version")
        else:
            answer = self._get("registered-models/get-latest-versions", {"name": name, "stages": followed.stage.value})
            row = next(iter(answer.get("model_versions", ())), None)
        if not row:
            raise UnknownName("version", followed, (), f"Move one there with `slipway promote {name} VERSION STAGE`")
        tags = {tag["key"]: tag["value"] for tag in row.get("tags", ())}
        return Seen(
            int(row["version"]), Stage(row.get("current_stage") or "None"), tags.get(_DIGEST), row.get("run_id", "")
        )

    def _get(self, what: str, params: Mapping[str, str]) -> Any:
        try:
            answer = self._session.get(self.uri + _API + what, params=params, timeout=self._timeout_s)
            payload = answer.json() if answer.content else {}
        except (requests.RequestException, ValueError) as error:
            raise NoServer(f"no tracking server answers at {self.uri} ({type(error).__name__})") from None
        if answer.status_code == HTTPStatus.NOT_FOUND or payload.get("error_code") == ABSENT:
            return {}
        if answer.status_code != HTTPStatus.OK:
            raise NoServer(f"the tracking server at {self.uri} answers with status {answer.status_code}")
        return payload
