"""Stored models scored anew, all on the same rows: those that a run was tested on, which are kept with it.

No answer that is given here rests on a number that was recorded somewhere.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from mlflow import MlflowClient

from slipway.core.gates import Fields
from slipway.core.metrics import Outcome
from slipway.core.prediction import predict
from slipway.core.spec import Experiment
from slipway.errors import UntrustedModel
from slipway.registry import evidence
from slipway.registry.models import inputs_of, outputs_of
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
    declared = client.download_artifacts(run_id, "experiment.json", str(folder))
    tested = client.download_artifacts(run_id, evidence.FOLDER, str(folder))
    experiment = Experiment.model_validate(json.loads(Path(declared).read_text()))
    return SameRows(experiment, evidence.load(Path(tested)))


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

    fetch: downloads the model's files and returns their folder; may raise UntrustedModel. trusted: see `score`.
    """
    inputs: Fields = {}
    outputs: Fields = {}
    try:
        files = fetch()
        inputs, outputs = inputs_of(files), outputs_of(files)
        return Rescored(score(files, on, trusted), inputs, outputs)
    except UntrustedModel as error:
        problem = str(error)
    except (KeyError, ValueError, TypeError) as error:  # its columns or classes are not those of these rows
        said = next(iter(str(error).splitlines()), "no message")
        problem = f"it cannot be applied to the test rows ({type(error).__name__}: {said})"
    return Rescored(None, inputs, outputs, problem)
