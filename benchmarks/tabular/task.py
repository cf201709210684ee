"""What a system is given: the rows as pandas reads them, what to predict, how long it may take."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from tabular.catalogue import Task
from tabular.files import ABOUT, TEST, TRAIN

SEED = 0


@dataclass(frozen=True)
class Given:
    """train: with the target, all rows of which have one. folder: to write in. seconds: what a search may take."""

    train: pd.DataFrame
    task: Task
    target: str
    metric: str
    seconds: float
    folder: Path

    @property
    def inputs(self) -> pd.DataFrame:
        return self.train.drop(columns=self.target)

    @property
    def labels(self) -> pd.Series:
        return self.train[self.target]


def read_given(folder: Path, seconds: float) -> Given:
    """Read the training rows; rows without a target are left out. Classes are text, whatever they look like."""
    about: dict[str, Any] = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
    target = about["target"]
    types = {} if about["task"] == "regression" else {target: str}
    train = pd.read_csv(folder / TRAIN, dtype=types, low_memory=False).dropna(subset=[target]).reset_index(drop=True)
    return Given(train, about["task"], target, about["metric"], seconds, folder)


def read_test(folder: Path) -> pd.DataFrame:
    return pd.read_csv(folder / TEST, low_memory=False)
