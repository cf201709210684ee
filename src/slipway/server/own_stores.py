"""The server's own way to its stores, past the guard, and the registrar, which alone writes ledgers and stages."""

import os
import posixpath
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from mlflow import MlflowClient
from mlflow.entities import ViewType
from mlflow.server import ARTIFACTS_DESTINATION_ENV_VAR, BACKEND_STORE_URI_ENV_VAR, REGISTRY_STORE_URI_ENV_VAR
from mlflow.store.tracking.dbmodels.models import SqlExperiment
from sqlalchemy import func

from slipway.errors import UsageError
from slipway.registry.ledger import LEDGER_SUFFIX, Ledger, ledger_of
from slipway.server._mlflow import artifact_repositories, get_artifact_repository, tracking_store
from slipway.server.identity import People
from slipway.server.reserved_names import decoded, is_ledger
from slipway.server.webhooks import TellingClient
from slipway.workflows.promotion.registrar import LocalRegistrar


@dataclass(frozen=True)
class OwnStores:
    """The stores as the server itself reads and writes them.

    Attributes:
        people: identifies the user of the present request.
        trusted: the types that the server's operator lets a model hold, beside those that its experiment declared.
        sealed: called after each seal of a ledger entry.
    """

    people: People
    trusted: tuple[str, ...] = ()
    sealed: Callable[[], None] = lambda: None

    @cached_property
    def client(self) -> MlflowClient:
        """Return a client straight on the server's own database; the server's threads may share it."""
        tracking = os.environ[BACKEND_STORE_URI_ENV_VAR]
        return TellingClient(tracking, os.environ.get(REGISTRY_STORE_URI_ENV_VAR) or tracking, self.sealed)

    @property
    def registrar(self) -> LocalRegistrar:
        """Return a registrar that acts in the name of the user of the present request."""
        staff = self.people.staff if self.people.auth else None
        return LocalRegistrar(self.client, self.people.who(), trusted=self.trusted, staff=staff)

    def ledger(self, model: str) -> Ledger | None:
        """Return the ledger of a model; None for a model that has none yet."""
        return ledger_of(self.client, model)

    def locations(self) -> list[str]:
        """Return the folder below the artifact root of each experiment, deleted experiments included."""
        folders, token = list[str](), None
        while True:
            page = self.client.search_experiments(ViewType.ALL, max_results=1000, page_token=token)
            folders += [below_root(each.artifact_location) for each in page]
            token = page.token
            if not token:
                return folders

    def ledger_locations(self) -> list[str]:
        """Return the folder below the artifact root of each ledger, deleted experiments included.

        Every upload asks for them, so two columns are read and not whole experiments.
        """
        with tracking_store().ManagedSessionMaker(read_only=False) as session:
            rows = session.query(SqlExperiment.name, SqlExperiment.artifact_location)
            found = rows.filter(func.lower(SqlExperiment.name).contains(LEDGER_SUFFIX, autoescape=True)).all()
        return [below_root(location) for name, location in found if is_ledger(name)]


def below_root(location: str) -> str:
    """Return the path below the artifact root of a location of artifacts, as `mlflow-artifacts:` or by its whole path."""
    return decoded(urlsplit(location).path).removeprefix(_root())


def serve_own_artifacts() -> None:
    """Let clients inside this process read and write `mlflow-artifacts:` locations where the server itself keeps them.

    A client anywhere else asks the server over HTTP for such a location, and this process is that server.

    Raises UsageError for a server that does not keep the artifacts itself.
    """
    if ARTIFACTS_DESTINATION_ENV_VAR not in os.environ:
        raise UsageError("Slipway's server keeps the artifacts itself; start `mlflow server` with --serve-artifacts")
    artifact_repositories.register("mlflow-artifacts", _own_repository)


def outside(location: str, *roots: str) -> str | None:
    """Say why artifacts may not be at a location, which is not below the artifact root; None where they may.

    roots: places beside ARTIFACTS_DESTINATION and `mlflow-artifacts:` below which they may be.
    """
    own = os.environ.get(ARTIFACTS_DESTINATION_ENV_VAR)
    allowed = [_place(root) for root in ("mlflow-artifacts:/", *roots, *([own] if own else []))]
    place = _place(location)
    if place and any(root and place[:2] == root[:2] and place[2][: len(root[2])] == root[2] for root in allowed):
        return None
    return (
        f"'{location}' is not below the server's artifact root, where all artifacts are; leave the location out, or name "
        "one such as mlflow-artifacts:/NAME, without '..'"
    )


def _place(location: str) -> tuple[str, str, tuple[str, ...]] | None:
    """Return scheme, host and folders of a location as whoever opens it may read it; None where readers may differ."""
    plain = decoded(location)
    if plain != plain.strip() or not plain.isprintable() or not set("\\?#;").isdisjoint(plain):
        return None
    parsed = urlsplit(plain)
    if parsed.scheme == "mlflow-artifacts" and parsed.netloc:
        return None  # another server
    if ".." in parsed.path.split("/"):
        return None
    path = parsed.path
    if parsed.scheme in ("", "file"):
        if parsed.netloc:
            return None
        path = os.path.realpath(path)  # MLflow takes a path without a scheme as one below the working directory
    folders = tuple(part for part in path.split("/") if part not in ("", "."))
    return parsed.scheme or "file", parsed.netloc, folders


def _own_repository(artifact_uri: str, tracking_uri: str | None = None, registry_uri: str | None = None) -> Any:
    path = posixpath.normpath(urlsplit(artifact_uri).path).strip("/")
    root = os.environ[ARTIFACTS_DESTINATION_ENV_VAR].rstrip("/")
    return get_artifact_repository(f"{root}/{path}", tracking_uri, registry_uri)


def _root() -> str:
    """Return the path of the artifact root, with which every location of another scheme than `mlflow-artifacts:` begins."""
    root = urlsplit(os.environ[ARTIFACTS_DESTINATION_ENV_VAR])
    return decoded(root.path if root.scheme else Path(root.path).absolute().as_posix()).rstrip("/")
