"""Runs and versions as far as the registry looks at them, in a store of this process: nothing is trained for them."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from mlflow import MlflowClient

from slipway.core.spec import Experiment
from slipway.core.statistics.metrics import Outcome
from slipway.registry.evidence.rescoring import rows_of
from slipway.registry.evidence.test_rows import FOLDER, TestRows, save
from slipway.registry.trust import EVIDENCE_DIGEST, artifact_digest
from slipway.tracking.client import connect

TestedRun = Callable[..., tuple[str, dict[str, str]]]


@pytest.fixture
def store(tmp_path: Path, migrated_database: Path) -> MlflowClient:
    """A client of an empty store, with the experiment `small` and its ledger."""
    client: MlflowClient = connect(f"sqlite:///{shutil.copy(migrated_database, tmp_path / 'mlflow.db')}")
    client.create_experiment("small", artifact_location=str(tmp_path / "runs"))
    client.create_experiment("small/promotions", artifact_location=str(tmp_path / "ledger"))
    return client


@pytest.fixture
def tested_run(store: MlflowClient, tmp_path: Path) -> TestedRun:
    """Return a function that makes a run which keeps a declaration and eight test rows; it returns its id, and the tag of a
    version by which these are verified."""

    def make(declared: Experiment, **tags: Any) -> tuple[str, dict[str, str]]:
        run = store.create_run(store.get_experiment_by_name("small").experiment_id, tags=tags).info.run_id
        truth = np.arange(8) % 2 * 1.0
        rows = pd.DataFrame({"minutes": np.arange(8.0), "port": ["a", "b"] * 4, "late": truth.astype(int)})
        prior = Outcome(truth, np.zeros(8), np.full(8, 0.5), True)
        save(tmp_path / run / FOLDER, TestRows(rows, "late", (0, 1), {"prior": prior}))
        store.log_artifacts(run, str(tmp_path / run / FOLDER), FOLDER)
        store.log_text(run, json.dumps(declared.as_dict()), "experiment.json")
        kept = tmp_path / run / "kept"
        kept.mkdir()
        rows_of(store, run, kept)
        return run, {EVIDENCE_DIGEST: artifact_digest(kept)}

    return make
