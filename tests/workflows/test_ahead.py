"""The demands on the next version come from a server if one answers; an experiment can be checked without."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from mlflow import MlflowClient

from slipway.core.spec import Experiment
from slipway.processes import free_port
from slipway.settings import Settings
from slipway.workflows.ahead import next_version

pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy:DeprecationWarning")
TestedRun = Callable[..., tuple[str, dict[str, str]]]


def test_without_a_server_that_answers_nothing_is_known(tmp_path: Path) -> None:
    nowhere = Settings(tmp_path, tmp_path)
    assert next_version(nowhere, "small") == (1, None)
    away = f"http://127.0.0.1:{free_port('127.0.0.1', 0)}"
    assert next_version(replace(nowhere, tracking_uri=away), "small") == (1, None)


def test_the_next_version_follows_the_newest_one(
    store: MlflowClient, tested_run: TestedRun, declare: Callable[..., Experiment], tmp_path: Path
) -> None:
    settings = replace(Settings(tmp_path, tmp_path), tracking_uri=str(store.tracking_uri))
    number, rule = next_version(settings, "small")
    assert number == 1 and rule is not None and rule.floor is None and rule.policies.in_force is None
    run, evidence = tested_run(declare())
    store.create_registered_model("small")
    store.create_model_version("small", f"file://{tmp_path}/gone", run, tags=evidence)
    assert next_version(settings, "small")[0] == 2
