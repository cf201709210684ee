"""The server's own way to its stores, past the guard, and the registrar, which alone writes ledgers and stages."""

import os
import posixpath
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from mlflow import MlflowClient
from mlflow.entities import ViewType
from mlflow.server import ARTIFACTS_DESTINATION_ENV_VAR, BACKEND_STORE_URI_ENV_VAR, REGISTRY_STORE_URI_ENV_VAR

from slipway.errors import UsageError
from slipway.registry.ledger import Ledger, ledger_of
from slipway.server._mlflow import artifact_repositories, get_artifact_repository
from slipway.server.identity import People
from slipway.server.reserved_names import decoded
from slipway.server.webhooks import TellingClient
from slipway.workflows.promotion.registrar import LocalRegistrar


@dataclass(frozen=True)
class OwnStores:
    """The stores as the server itself reads and writes them. people: identifies the user of the present request."""

    people: People

    @cached_property
    def client(self) -> MlflowClient:
        """Return a client straight on the server's own database; the server's threads may share it."""
        tracking = os.environ[BACKEND_STORE_URI_ENV_VAR]
        return TellingClient(tracking, os.environ.get(REGISTRY_STORE_URI_ENV_VAR) or tracking)

    @property
    def registrar(self) -> LocalRegistrar:
        """Return a registrar that acts in the name of the user of the present request."""
        return LocalRegistrar(self.client, self.people.who(), verified=self.people.auth)

    def ledger(self, model: str) -> Ledger | None:
        """Return the ledger of a model; None for a model that has none yet."""
        return ledger_of(self.client, model)

    def locations(self) -> list[str]:
        """Return the folder below the artifact root of each experiment, deleted experiments included."""
        root, folders, token = _root(), list[str](), None
        while True:
            page = self.client.search_experiments(ViewType.ALL, max_results=1000, page_token=token)
            paths = (decoded(urlsplit(each.artifact_location).path) for each in page)
            folders += [path.removeprefix(root) for path in paths]
            token = page.token
            if not token:
                return folders


def serve_own_artifacts() -> None:
    """Let clients inside this process read and write `mlflow-artifacts:` locations where the server itself keeps them.

    A client anywhere else asks the server over HTTP for such a location, and this process is that server.

    Raises UsageError for a server that does not keep the artifacts itself.
    """
    if ARTIFACTS_DESTINATION_ENV_VAR not in os.environ:
        raise UsageError("Slipway's server keeps the artifacts itself; start `mlflow server` with --serve-artifacts")
    artifact_repositories.register("mlflow-artifacts", _own_repository)


def _own_repository(artifact_uri: str, tracking_uri: str | None = None, registry_uri: str | None = None) -> Any:
    path = posixpath.normpath(urlsplit(artifact_uri).path).strip("/")
    root = os.environ[ARTIFACTS_DESTINATION_ENV_VAR].rstrip("/")
    return get_artifact_repository(f"{root}/{path}", tracking_uri, registry_uri)


def _root() -> str:
    """Return the path of the artifact root, with which every location of another scheme than `mlflow-artifacts:` begins."""
    root = urlsplit(os.environ[ARTIFACTS_DESTINATION_ENV_VAR])
    return decoded(root.path if root.scheme else Path(root.path).absolute().as_posix()).rstrip("/")
