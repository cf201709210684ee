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
from slipway.core.metrics import Outcome
from slipway.core.prediction import predict
from slipway.core.spec import Experiment, TimeSplit
from slipway.errors import Refusal
from slipway.registry import evidence
from slipway.registry.models import inputs_of, outputs_of, recorded_experiment
from slipway.registry.trust import load_trusted


@dataclass(frozen=True)
class SameRows:
    """The rows that every model is scored on.

    experiment: as it was declared when the run was trained, not as it stands in the project today.
    """

    experiment: Experiment
    tested: evidence.TestRows


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
    tested = client.download_artifacts(run_id, evidence.FOLDER, str(folder))
    return SameRows(recorded_experiment(client, run_id, folder), evidence.load(Path(tested)))


def on_rows(rows: SameRows, frame: pd.DataFrame) -> SameRows:
    """Return the same experiment and classes with other rows."""
    return replace(rows, tested=replace(rows.tested, rows=frame.reset_index(drop=True), baselines={}))


def unseen(rows: SameRows, by: SameRows, *, same_data: bool) -> NDArray[np.bool_] | None:
    """Say which of the rows another run was not trained on: (rows,), or None where that cannot be known.

    by: what that run was tested on. Where it was cut by time, it was trained on what is older than its test rows; where both
    are of the same data, on all that is not among them.
    """
    time = by.experiment.data.time
    if isinstance(by.experiment.split, TimeSplit) and time in rows.tested.rows and time in by.tested.rows:
        later: NDArray[np.bool_] = (rows.tested.rows[time] >= by.tested.rows[time].min()).to_numpy()
        return later
    if not same_data:
        return None
    columns = sorted(set(rows.tested.rows.columns) & set(by.tested.rows.columns))
    ours, theirs = (pd.util.hash_pandas_object(each.tested.rows[columns], index=False) for each in (rows, by))
    return ours.isin(theirs).to_numpy()


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
