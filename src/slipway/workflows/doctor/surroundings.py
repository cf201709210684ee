"""The checks of what an installation stands in: the project, the settings, the home, the tracking server."""

import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

import requests

from slipway.core.urls import without_secrets
from slipway.errors import some_of
from slipway.processes import is_alive
from slipway.settings import Settings
from slipway.tracking.home import DATABASE
from slipway.tracking.record import read_record
from slipway.version import __version__
from slipway.workflows.doctor.findings import Check, Examined, doubt, fault, fine

_ANSWER_S = 4.0
_MOST_NAMED = 8
_SECRET = ("PASS", "TOKEN", "KEY", "SECRET", "CREDENTIAL", "HEADERS", "BACKEND")
_START = "`slipway up --detach` starts one; --tracking-uri or MLFLOW_TRACKING_URI names another"


def checks(settings: Settings) -> Iterator[tuple[str, Check]]:
    """Yield the checks of what the commands would use with these settings."""
    yield "project", lambda: _project(settings)
    yield "settings", lambda: _settings(settings.variables)
    yield "home", lambda: _home(settings)
    yield "tracking server", lambda: server(settings)


def _project(settings: Settings) -> Examined:
    folder = settings.experiments
    if not folder.is_dir():
        todo = (
            "`slipway init NAME --data FILE --target COLUMN` makes the first experiment; --project names another folder"
        )
        return doubt("project", f"{settings.project} has no folder experiments", todo)
    names = sorted(path.parent.name for path in folder.glob("*/experiment.yaml"))
    return fine("project", f"{settings.project}: {some_of(names, _MOST_NAMED) or 'no experiment yet'}")


def _settings(variables: Mapping[str, str]) -> Examined:
    """Name the variables that are set, with the values of those that hold no secret."""
    ours = {name: value for name, value in sorted(variables.items()) if name.startswith(("SLIPWAY_", "MLFLOW_"))}
    shown = [_shown(name, value) for name, value in ours.items()]
    return fine("settings", ", ".join(shown) or "none of SLIPWAY_* and MLFLOW_* is set")


def _shown(name: str, value: str) -> str:
    return f"{name} (not shown)" if any(word in name for word in _SECRET) else f"{name}={without_secrets(value)}"


def _home(settings: Settings) -> Examined:
    home = settings.home
    if not home.is_dir():
        return fine("home", f"{home} is made by the first `slipway up`")
    if not os.access(home, os.R_OK | os.W_OK | os.X_OK):
        return fault(
            "home",
            f"{home} cannot be read and written",
            "let its owner run the command, or name another in SLIPWAY_HOME",
        )
    found = read_record(home)
    if found and not is_alive(found[0].process):
        return doubt("home", f"the server of {home} ended without being stopped (process {found[0].pid})", _START)
    database = home / DATABASE
    return _database(database) if database.is_file() else fine("home", f"{home}, without a database of its own")


def _database(database: Path) -> Examined:
    """Read one row: a database that is locked, cut off or of another tool says so here, and nothing is written."""
    try:
        with closing(sqlite3.connect(f"file:{quote(str(database))}?mode=ro", uri=True, timeout=2)) as connection:
            (revision,) = connection.execute("SELECT version_num FROM alembic_version").fetchone()
            runs = connection.execute("SELECT count(*) FROM runs").fetchone()[0]
    except (sqlite3.Error, TypeError) as error:
        todo = "`slipway restore` brings back a backup; a process that holds the lock has to end first"
        return fault("home", f"{database} cannot be read as MLflow's database: {error}", todo)
    return fine("home", f"{database}: {runs:,} run(s), revision {revision}")


def server(settings: Settings) -> Examined:
    """Say which tracking server the commands would use, whether it answers, and whether it guards the registry."""
    uri = settings.tracking_uri or _own_server(settings.home)
    if uri is None:
        return fault("tracking server", f"none is up in {settings.home}", _START)
    shown = without_secrets(uri)
    if not uri.startswith(("http://", "https://")):
        todo = "whoever connects to the database passes every check of a server: name a server"
        return doubt("tracking server", f"{shown}, without a server before it", todo)
    try:
        health = requests.get(f"{uri.rstrip('/')}/health", timeout=_ANSWER_S)
    except requests.RequestException as error:
        return fault("tracking server", f"{shown} does not answer ({type(error).__name__})", _START)
    if health.status_code != 200:
        return fault(
            "tracking server", f"{shown} answers with status {health.status_code}", "its log says why; " + _START
        )
    return _guarded(uri, shown, settings)


def _own_server(home: Path) -> str | None:
    found = read_record(home) if home.is_dir() else None
    return found[0].uri if found and is_alive(found[0].process) else None


def _guarded(uri: str, shown: str, settings: Settings) -> Examined:
    auth = settings.tracking_auth
    known: dict[str, Any] = {"auth": auth} if isinstance(auth, tuple) else {}
    if isinstance(auth, str):
        known = {"headers": {"Authorization": f"Bearer {auth}"}}
    answer = requests.get(f"{uri.rstrip('/')}/api/2.0/slipway/about", timeout=_ANSWER_S, **known)
    if answer.status_code == 401:
        todo = "set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD of a user; an admin makes one: `slipway user`"
        return fault("tracking server", f"{shown} has users, and does not know who asks", todo)
    told = answer.json() if answer.status_code == 200 and "json" in answer.headers.get("Content-Type", "") else {}
    if not told.get("guarded"):
        todo = "`mlflow server --app-name slipway` or `slipway up` guards them; here gates hold those alone who use Slipway"
        return doubt("tracking server", f"{shown} is plain MLflow, which guards no stage", todo)
    who = f"users log in, you are {told['user']}" if told.get("auth") else "nobody logs in, each names himself"
    found = f"{shown}, guarded by Slipway {told['slipway']}; {who}"
    if told["slipway"] != __version__:
        return doubt("tracking server", found, f"here is Slipway {__version__}: bring both to one version")
    return fine("tracking server", found)
