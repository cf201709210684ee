"""A ledger is found by the name of its model, and looking for it makes nothing."""

import shutil
from pathlib import Path

import pytest

from slipway.registry.ledger import Ledger, ledger_of
from slipway.tracking.client import connect

pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy:DeprecationWarning")


def test_a_ledger_is_found_by_its_model_and_is_none_where_nothing_was_written(
    migrated_database: Path, tmp_path: Path
) -> None:
    client = connect(f"sqlite:///{shutil.copy(migrated_database, tmp_path / 'mlflow.db')}")
    assert ledger_of(client, "small") is None and client.get_experiment_by_name("small/promotions") is None
    experiment = client.create_experiment("small/promotions", artifact_location=str(tmp_path / "ledger"))
    assert ledger_of(client, "small") == Ledger(client, "small", experiment)
