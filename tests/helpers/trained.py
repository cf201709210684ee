"""The files of a run and of the version that it made, as the gates read them: written in a moment, without a search."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression

from slipway.core.spec import Experiment
from slipway.core.statistics.metrics import Outcome
from slipway.registry.evidence.bundle import EvidenceBundle
from slipway.registry.evidence.test_rows import FOLDER, TestRows, save
from slipway.registry.trust import DIGEST, EVIDENCE_DIGEST, artifact_digest
from slipway.types import Stage
from tests.helpers.model_files import write_model

TRUTH = np.arange(60) % 2 * 1.0
ROWS = pd.DataFrame({"minutes": TRUTH + np.linspace(-0.4, 0.4, 60), "late": TRUTH.astype(int)})
SIGNATURE = {
    "inputs": '[{"type": "double", "name": "minutes", "required": true}]',
    "outputs": '[{"type": "long", "required": true}]',
    "params": None,
}
SPEC = {
    "name": "small",
    "scope": {"goal": "Say which rows are late.", "owner": "ana"},
    "task": "binary",
    "data": {
        "source": {"csv": "rows.csv"},
        "target": "late",
        "columns": {"late": {"type": "int"}, "minutes": {"type": "float", "known": "the timetable"}},
    },
    "split": {"method": "random"},
    "gates": {"thresholds": {"roc_auc": 0.6}},
    "search": {"metric": "roc_auc", "candidates": {"lr": {"estimator": "sklearn.linear_model.LogisticRegression"}}},
}
FOREIGN_LOADER = "import os\ndef _load_pyfunc(path):\n    raise SystemExit('a foreign loader ran')\n"


def write_trained(folder: Path, *, foreign: bool = False, **sections: Any) -> dict[str, str]:
    """Write the artifacts of a run into its folder, and return the digests that a version of it is registered with.

    Args:
        folder: the folder of the run's artifacts.
        foreign: whether MLmodel names a loader of its own, which travels as code.
        sections: sections of the declaration that replace those it has.
    """
    prior = Outcome(TRUTH, np.zeros(60), np.full(60, 0.5), True)
    save(folder / FOLDER, TestRows(ROWS, "late", (0, 1), {"prior": prior}))
    experiment = Experiment.model_validate({**SPEC, **sections})
    (folder / "experiment.json").write_text(json.dumps(experiment.as_dict()))
    evidence = artifact_digest(folder)
    model = folder / "model"
    if foreign:
        (model / "code").mkdir(parents=True)
        (model / "code" / "foreign_loader.py").write_text(FOREIGN_LOADER)
    write_model(model, LogisticRegression().fit(ROWS[["minutes"]], ROWS.late), signature=SIGNATURE)
    if foreign:
        text = (model / "MLmodel").read_text()
        (model / "MLmodel").write_text(text.replace("loader_module: mlflow.sklearn", "loader_module: foreign_loader"))
    return {DIGEST: artifact_digest(model), EVIDENCE_DIGEST: evidence}


def bundle_of(
    name: str, version: int, tags: dict[str, str], stage: Stage, champion: tuple[int, dict[str, str]] | None = None
) -> EvidenceBundle:
    """Return the evidence bundle that gathering gives for a version of such a run, whose answers are all right."""
    outcome = Outcome(TRUTH, TRUTH, 0.1 + 0.8 * TRUTH, True)
    beside = (champion[0], champion[1][DIGEST]) if champion else None
    return EvidenceBundle(
        name, version, stage, tags[DIGEST], outcome, champion_version=beside, champion=outcome if champion else None
    )
