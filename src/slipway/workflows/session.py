"""The tracking server that a command talks to, and a client of it."""

from typing import TYPE_CHECKING

from slipway.errors import NoServer
from slipway.settings import Settings
from slipway.tracking.client import connect
from slipway.tracking.server import find_server

if TYPE_CHECKING:  # importing MLflow costs seconds, and a command that needs the address alone never does
    from mlflow import MlflowClient


def open_client(settings: Settings) -> "MlflowClient":
    """Return a client of the tracking server that `resolve_tracking_uri` names.

    Raises NoServer when there is none, or when it does not answer.
    """
    client: MlflowClient = connect(resolve_tracking_uri(settings))
    return client


def resolve_tracking_uri(settings: Settings) -> str:
    """Return the address of the tracking server: the one in `settings`, else that of the server that is up in `settings.home`.

    Raises NoServer when there is neither.
    """
    if settings.tracking_uri:
        return settings.tracking_uri
    if server := find_server(settings.home):
        return server.uri
    raise NoServer(
        f"no tracking server is up in {settings.home}; start one with `slipway up --detach`, "
        "or name one with --tracking-uri or MLFLOW_TRACKING_URI"
    )
