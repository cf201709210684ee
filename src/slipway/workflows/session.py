"""The tracking server that a command talks to."""

from slipway.errors import NoServer
from slipway.settings import Settings
from slipway.tracking.server import find_server


def resolve_tracking_uri(settings: Settings) -> str:
    """Return the tracking server to use: the one that was asked for, else the one that is up in `settings.home`.

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
