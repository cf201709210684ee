"""The settings of the embedded server's basic auth: a file of its home that only the owner may read.

HOME/auth.ini        MLflow's own settings of its auth, with the password of the first admin, made at the first start
HOME/auth.db         MLflow's own users, roles and permissions
"""

import configparser
import secrets
from pathlib import Path

from slipway.errors import FileUnusable
from slipway.files import whole_file
from slipway.tracking.home import keep_private

ADMIN = "admin"
_MLFLOW, _OURS = "mlflow", "slipway"
_USERS = "sqlite:///auth.db"  # relative to the working directory, which is the home


def auth_file(home: Path) -> Path:
    """Return the file with the settings of a home's auth; a home that has the file is served with auth."""
    return home / "auth.ini"


def auth_environment(home: Path) -> dict[str, str]:
    """Return the environment that MLflow's server needs for auth; settings with a new password are made if there are none."""
    path = auth_file(home)
    if not path.exists():
        _write(path)
    settings = configparser.ConfigParser(interpolation=None)
    settings.read(path, encoding="utf-8")
    try:
        key = settings[_OURS]["secret_key"]
    except KeyError:
        raise FileUnusable(f"{path} has no secret_key in its section [{_OURS}]; mend it or take it away") from None
    keep_private(path)
    if settings.get(_MLFLOW, "database_uri", fallback="") == _USERS:
        keep_private(home / "auth.db")
    return {"MLFLOW_AUTH_CONFIG_PATH": str(path), "MLFLOW_FLASK_SERVER_SECRET_KEY": key}


def _write(path: Path) -> None:
    settings = configparser.ConfigParser(interpolation=None)
    settings[_MLFLOW] = {
        "default_permission": "READ",
        "database_uri": _USERS,
        "admin_username": ADMIN,
        "admin_password": secrets.token_urlsafe(18),
        "authorization_function": "mlflow.server.auth:authenticate_request_basic_auth",
        "grant_default_workspace_access": "false",
    }
    settings[_OURS] = {"secret_key": secrets.token_urlsafe(32)}
    try:
        with whole_file(path, private=True) as draft, draft.open("w", encoding="utf-8") as file:
            settings.write(file)
    except OSError as error:
        raise FileUnusable(f"{path} cannot be written: {error.strerror}") from error
