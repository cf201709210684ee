"""What two models answered to the same rows, as it lies with the ledger's entry of a judgement. No model is loaded."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from slipway.core.gates import rows_to_compare
from slipway.core.metrics import Outcome
from slipway.core.tasks import Task
from slipway.errors import UsageError
from slipway.registry.artifacts.models import temporary_folder
from slipway.registry.evidence.bundle import Case
from slipway.registry.ledger import EVIDENCE
from slipway.workflows.rescoring import SameRows, rows_of


@dataclass(frozen=True)
class Answers:
    """Challenger and champion on the rows that they were compared on: those that the champion was not trained on.

    rows: (rows, columns); columns: those that are shown where the two differ. champion: its version, with its outcome.
    """

    task: Task
    classes: tuple[Any, ...]
    target: str
    challenger: Outcome
    champion: tuple[int, Outcome] | None
    rows: pd.DataFrame
    columns: Sequence[str]


def answers_of(client: MlflowClient, entry_run: str, version_run: str) -> Answers | None:
    """Read the answers that a judgement was made of. None where its entry keeps none, or what it was of is gone.

    entry_run: the run of the ledger's entry. version_run: that of the version, which keeps the rows.
    """
    with temporary_folder() as made:
        folder = Path(made)
        found = downloaded(client, entry_run, EVIDENCE, folder / "case")
        if found is None:
            return None
        try:
            case = Case.from_files({path.name: path.read_bytes() for path in found.iterdir()})
            rows = rows_of(client, version_run, folder)
        except (UsageError, OSError, ValueError, MlflowException):
            return None
    return _answers(case, rows) if len(rows.tested.rows) == case.challenger.rows else None


def downloaded(client: MlflowClient, run_id: str, path: str, folder: Path) -> Path | None:
    """Download an artifact of a run into a new folder; None where it has none."""
    folder.mkdir()
    above = path.rpartition("/")[0]
    if path not in {found.path for found in client.list_artifacts(run_id, above or None)}:
        return None
    return Path(client.download_artifacts(run_id, path, str(folder)))


def _answers(case: Case, rows: SameRows) -> Answers:
    experiment, tested = rows.experiment, rows.tested
    data = experiment.data
    taken = rows_to_compare(case.unseen)
    compared = np.ones(case.challenger.rows, dtype=bool) if taken is None else taken
    wanted = dict.fromkeys(name for name in (data.id, data.time, *data.features) if name)
    return Answers(
        experiment.task,
        tested.classes,
        tested.target,
        case.challenger.take(compared),
        (case.champion_version[0], case.champion.take(compared)) if case.champion_version and case.champion else None,
        tested.rows[compared].reset_index(drop=True),
        [name for name in wanted if name in tested.rows],
    )
