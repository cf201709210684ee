from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest

from slipway.errors import UsageError
from slipway.settings import read_settings


def test_an_empty_environment_gives_the_projects_own_home_and_no_server(tmp_path: Path) -> None:
    settings = read_settings({}, project=tmp_path)
    assert settings.project == tmp_path
    assert settings.experiments == tmp_path / "experiments"
    assert settings.home == tmp_path / ".slipway"
    assert settings.tracking_uri is None and settings.mlflow_run_id is None and settings.trusted_types == ()
    assert settings.user


def test_the_environment_is_read_once_into_one_value(tmp_path: Path) -> None:
    environment = {
        "SLIPWAY_HOME": str(tmp_path / "elsewhere"),
        "MLFLOW_TRACKING_URI": "http://server",
        "SLIPWAY_USER": "ann",
        "SLIPWAY_TRUSTED_TYPES": " features.Ratio, ,features.Gap ",
        "MLFLOW_RUN_ID": "abc",
        "SLIPWAY_BACKEND": "postgresql://ann:secret@db/runs",
        "SLIPWAY_ARTIFACTS": "s3://models",
        "MLFLOW_S3_ENDPOINT_URL": "http://s3",
        "SLIPWAY_ALLOWED_ORIGINS": "https://a.example, https://b.example",
        "PATH": "/bin",
    }
    settings = read_settings(environment, project=tmp_path)
    environment.clear()
    assert (settings.home, settings.tracking_uri, settings.user) == (tmp_path / "elsewhere", "http://server", "ann")
    assert (settings.trusted_types, settings.mlflow_run_id) == (("features.Ratio", "features.Gap"), "abc")
    assert settings.allowed_origins == ("https://a.example", "https://b.example")
    assert (settings.artifacts, settings.s3_endpoint) == ("s3://models", "http://s3")
    assert settings.backend == "postgresql://ann:secret@db/runs" and "secret" not in repr(settings)
    with pytest.raises(FrozenInstanceError):
        settings.user = "bob"


def test_what_is_given_by_name_wins_over_the_environment(tmp_path: Path) -> None:
    environment = {"MLFLOW_TRACKING_URI": "http://server"}
    assert read_settings(environment, project=tmp_path, tracking_uri="http://other").tracking_uri == "http://other"


def test_empty_variables_are_as_if_they_were_not_set(tmp_path: Path) -> None:
    names = ("SLIPWAY_HOME", "MLFLOW_TRACKING_URI", "SLIPWAY_USER", "SLIPWAY_TRUSTED_TYPES", "MLFLOW_RUN_ID")
    names += ("SLIPWAY_BACKEND", "SLIPWAY_ARTIFACTS", "SLIPWAY_NOTICES", "MLFLOW_S3_ENDPOINT_URL")
    assert read_settings(dict.fromkeys(names, ""), project=tmp_path) == read_settings({}, project=tmp_path)


def test_folders_are_absolute(tmp_path: Path) -> None:
    settings = read_settings({"SLIPWAY_HOME": "home"}, project=Path())
    assert settings.project == Path.cwd() and settings.home == Path.cwd() / "home"
    assert read_settings({"SLIPWAY_NOTICES": "n.yaml"}, project=Path()).notices == Path.cwd() / "n.yaml"


def test_an_unknown_setting_is_refused_with_those_that_there_are(tmp_path: Path) -> None:
    with pytest.raises(
        UsageError,
        match="unknown setting SLIPWAY_HMOE, SLIPWAY_ZZ; there is: SLIPWAY_ALLOWED_ORIGINS, SLIPWAY_API_KEYS",
    ):
        read_settings({"SLIPWAY_ZZ": "1", "SLIPWAY_HMOE": "/x"}, project=tmp_path)
