"""Stored models scored anew, all on the same rows: those that a run was tested on, which are kept with it.

No answer that is given here rests on a number that was recorded somewhere.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from mlflow import MlflowClient
from numpy.typing import NDArray

from slipway.core.gates import Fields
from slipway.core.prediction import predict
from slipway.core.spec import Experiment, GroupSplit, TimeSplit
from slipway.core.statistics.metrics import Outcome
from slipway.errors import Refusal, UntrustedModel
from slipway.registry.artifacts.models import inputs_of, outputs_of, recorded_experiment
from slipway.registry.evidence import test_rows
from slipway.registry.trust import EVIDENCE_DIGEST, artifact_digest, load_trusted
from slipway.registry.versions import Version


@dataclass(frozen=True)
class SameRows:
    """The rows that every model is scored on.

    experiment: as it was declared when the run was trained, not as it stands in the project today.
    """

    experiment: Experiment
    tested: test_rows.TestRows


@dataclass(frozen=True)
class Rescored:
    """What a stored model says of the rows, and the fields that it declares.

    outcome is None, and `problem` says why, when it cannot be applied to them.
    """

    outcome: Outcome | None
    inputs: Fields
    outputs: Fields
    problem: str = ""


def rows_of(client: MlflowClient, run_id: str, folder: Path) -> SameRows:
    """Download into a folder what a run was tested on, and the experiment that it was declared as."""
    tested = client.download_artifacts(run_id, test_rows.FOLDER, str(folder))
    return SameRows(recorded_experiment(client, run_id, folder), test_rows.load(Path(tested)))


def on_rows(rows: SameRows, frame: pd.DataFrame) -> SameRows:
    """Return the same experiment and classes with other rows."""
    return replace(rows, tested=replace(rows.tested, rows=frame.reset_index(drop=True), baselines={}))


def unseen(rows: SameRows, by: SameRows, *, same_data: bool) -> NDArray[np.bool_] | None:
    """Say which of the rows another run knows nothing of: (rows,), or None where that cannot be told.

    The other run was trained on what is older than its test rows, where it was cut by time; where both are of the same data, on
    all that is not among its test rows. Of rows that were cut by group, it also knows those that share a group with one that
    it was trained on; of rows that were cut by time, those that are not later than the last one that it was trained on.

    by: what the other run was tested on.
    """
    fresh = _not_trained_on(rows, by, same_data)
    if fresh is None or fresh.all():
        return fresh
    tested, split, time = rows.tested.rows, rows.experiment.split, rows.experiment.data.time
    known = np.zeros(len(tested), dtype=bool)
    if isinstance(split, GroupSplit) and split.group in tested:
        known |= tested[split.group].isin(tested.loc[~fresh, split.group])
    elif isinstance(split, TimeSplit) and time in tested:
        known |= tested[time] <= tested.loc[~fresh, time].max()
    return fresh & ~known


def score(files: Path, on: SameRows, trusted: Sequence[str]) -> Outcome:
    """Load a downloaded model and let it predict the rows.

    trusted: types beside Slipway's own list that the model may hold.
    Raises UntrustedModel, and KeyError, ValueError or TypeError when its columns or classes are not those of the rows.
    """
    model = load_trusted(files, trusted)
    rows = on.tested.rows[list(inputs_of(files))]
    return predict(model, rows, on.tested.truth, on.experiment.task, on.tested.classes)


def rescore(fetch: Callable[[], Path], on: SameRows, trusted: Sequence[str]) -> Rescored:
    """Score a model that may not fit the rows, or may not be trusted: it is told why, rather than raised.

    fetch: downloads the model's files and returns their folder; may raise a Refusal. trusted: see `score`.
    """
    inputs: Fields = {}
    outputs: Fields = {}
    try:
        files = fetch()
        inputs, outputs = inputs_of(files), outputs_of(files)
        return Rescored(score(files, on, trusted), inputs, outputs)
    except Refusal as error:
        problem = str(error)
    except (
        KeyError,
        ValueError,
        TypeError,
        AttributeError,
    ) as error:  # other columns, or an older library
        said = next(iter(str(error).splitlines()), "no message")
        problem = f"it cannot be applied to the test rows ({type(error).__name__}: {said})"
    return Rescored(None, inputs, outputs, problem)


def _not_trained_on(rows: SameRows, by: SameRows, same_data: bool) -> NDArray[np.bool_] | None:
    """Say which of the rows themselves another run was not trained on; None where that cannot be told."""
    ours, theirs = rows.tested.rows, by.tested.rows
    if isinstance(by.experiment.split, TimeSplit) and (time := by.experiment.data.time) in ours and time in theirs:
        return np.asarray(ours[time] >= theirs[time].min())
    if same_data:
        columns = sorted(set(ours.columns) & set(theirs.columns))
        hashed = [pd.util.hash_pandas_object(each[columns], index=False) for each in (ours, theirs)]
        return hashed[0].isin(hashed[1]).to_numpy()
    if isinstance(rows.experiment.split, TimeSplit) and (time := rows.experiment.data.time) in ours and time in theirs:
        return np.asarray(ours[time] > theirs[time].max())  # its test rows reach as far as its training rows
    return None


def verified_rows(client: MlflowClient, version: Version, folder: Path) -> tuple[SameRows, str]:
    """Download what a version was declared as and tested on, and return it with its digest.

    Raises UntrustedModel when it is not what was registered.
    """
    registered = version.tags.get(EVIDENCE_DIGEST)
    if registered is None:
        raise UntrustedModel(
            f"{version.name} version {version.number} was registered without the rows that it was tested on, so no gate can "
            f"judge it; train a version with `slipway run {version.name}`"
        )
    kept = folder / "kept"
    kept.mkdir()
    rows = rows_of(client, version.run_id, kept)
    digest = artifact_digest(kept)
    if registered != digest:
        raise UntrustedModel(
            f"what {version.name} version {version.number} was tested on is not what was registered with it; "
            f"train a new version with `slipway run {version.name}`"
        )
    return rows, digest
