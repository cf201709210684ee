"""The releases of a model that tests of policies and of redeclarations go through."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient
from tests.helpers.releases import Releases

from slipway.core.spec import Experiment


@pytest.fixture
def releases(store: MlflowClient, tested_run: Any, tmp_path: Path, declare: Callable[..., Experiment]) -> Releases:
    (tmp_path / "gathered").mkdir()
    return Releases(store, tested_run, declare, tmp_path / "gathered")
