"""What two models answered to the same rows, as it lies with the run of a judgement."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from mlflow import MlflowClient

from slipway.core.metrics import Outcome, Task


@dataclass(frozen=True)
class Answers:
    """What challenger and champion answered to the same rows.

    rows: (rows, columns), shown where the two differ; None where they are not known. champion: its version, with its outcome.
    """

    task: Task
    classes: tuple[Any, ...]
    target: str
    challenger: Outcome
    champion: tuple[int, Outcome] | None = None
    rows: pd.DataFrame | None = None
    columns: Sequence[str] = ()


def answers_of(client: MlflowClient, run_id: str) -> Answers | None:
    """Read the answers that a judgement was made of; None where its run keeps none."""
    return None
