"""The passwords of a home: made once, for this home alone, and readable for its owner alone."""

import configparser
import stat
from pathlib import Path

import pytest

from slipway.errors import FileUnusable
from slipway.tracking.auth import auth_environment, auth_file


def told(home: Path) -> configparser.ConfigParser:
    found = configparser.ConfigParser(interpolation=None)
    found.read(auth_file(home))
    return found


def test_a_home_gets_a_password_of_its_own_once_that_only_its_owner_reads(tmp_path: Path) -> None:
    homes = [tmp_path / name for name in ("one", "two")]
    for home in homes:
        home.mkdir()
    first, second = (auth_environment(home) for home in homes)
    passwords = [told(home)["mlflow"]["admin_password"] for home in homes]
    assert passwords[0] != passwords[1] and all(len(password) >= 24 for password in passwords)
    assert first["MLFLOW_FLASK_SERVER_SECRET_KEY"] != second["MLFLOW_FLASK_SERVER_SECRET_KEY"]
    assert stat.S_IMODE(auth_file(homes[0]).stat().st_mode) == 0o600
    assert auth_environment(homes[0]) == first
    assert told(homes[0])["mlflow"]["admin_password"] == passwords[0]
    assert passwords[0] not in "".join(first.values())


def test_what_a_home_had_open_to_all_is_closed(tmp_path: Path) -> None:
    auth_environment(tmp_path)
    kept = (auth_file(tmp_path), tmp_path / "auth.db")
    assert {stat.S_IMODE(path.stat().st_mode) for path in kept} == {0o600}
    for path in kept:
        path.chmod(0o644)
    auth_environment(tmp_path)
    assert {stat.S_IMODE(path.stat().st_mode) for path in kept} == {0o600}


def test_a_file_that_is_no_such_file_is_told(tmp_path: Path) -> None:
    auth_file(tmp_path).write_text("[mlflow]\nadmin_username = admin\n")
    with pytest.raises(FileUnusable, match="secret_key"):
        auth_environment(tmp_path)
