"""The test rows of a version, kept with its run: the rows, their truth, and the answers of the baselines.

The gates score the stored model on these rows again, so that no verdict rests on a number that somebody could have typed.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from numpy.typing import NDArray

from slipway.core.statistics.metrics import Outcome

FOLDER = "evidence"
CODE = "code"
"""The folder below `FOLDER` with the experiment's Python files, where it has gates of its own."""
_ROWS, _BASELINES, _FACTS = "test_rows.parquet", "baselines.parquet", "facts.json"


@dataclass(frozen=True)
class TestRows:
    """The test rows of a run.

    Attributes:
        rows: (rows, columns), the target among them.
        target: the name of the target column.
        classes: the classes of the target, in the order of the scores.
        baselines: the outcomes of the baselines on the rows, by name.
    """

    __test__ = False  # no test class, whatever pytest thinks of the name

    rows: pd.DataFrame
    target: str
    classes: tuple[Any, ...]
    baselines: Mapping[str, Outcome]

    @property
    def truth(self) -> pd.Series:
        return self.rows[self.target]


def save(folder: Path, evidence: TestRows) -> None:
    """Write the test rows as Parquet and JSON files into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    evidence.rows.to_parquet(folder / _ROWS, index=False, compression="zstd")
    columns = truth_columns(next(iter(evidence.baselines.values())))
    for name, outcome in evidence.baselines.items():
        columns |= outcome_columns(name, outcome)
    pd.DataFrame(columns).to_parquet(folder / _BASELINES, index=False, compression="zstd")
    facts = {
        "target": evidence.target,
        "classes": list(evidence.classes),
        "baselines": {name: outcome.probabilistic for name, outcome in evidence.baselines.items()},
    }
    (folder / _FACTS).write_text(json.dumps(facts, indent=2))


def load(folder: Path) -> TestRows:
    """Read the test rows that `save` wrote into a folder."""
    facts = json.loads((folder / _FACTS).read_text())
    table = pd.read_parquet(folder / _BASELINES)
    baselines = {name: outcome_of(table, name, probabilistic) for name, probabilistic in facts["baselines"].items()}
    return TestRows(pd.read_parquet(folder / _ROWS), facts["target"], tuple(facts["classes"]), baselines)


def truth_columns(outcome: Outcome) -> dict[str, NDArray[Any]]:
    """Return the columns that all outcomes of the same rows share: `truth`, and `weight` where rows are weighted."""
    return {"truth": outcome.truth, **({} if outcome.weights is None else {"weight": outcome.weights})}


def outcome_columns(name: str, outcome: Outcome) -> dict[str, NDArray[Any]]:
    """Return an outcome as columns of a table, all but truth and weight: `NAME.predicted`, `NAME.score.0`, ..."""
    scores = [] if outcome.scores is None else [outcome.scores] if outcome.scores.ndim == 1 else list(outcome.scores.T)
    return {f"{name}.predicted": outcome.predicted, **{f"{name}.score.{i}": each for i, each in enumerate(scores)}}


def outcome_of(table: pd.DataFrame, name: str, probabilistic: bool) -> Outcome:
    """Return the outcome of one model from a table with the columns of `truth_columns` and of `outcome_columns`."""
    columns = [column for column in table.columns if column.startswith(f"{name}.score.")]
    scores = table[columns].to_numpy() if len(columns) > 1 else table[columns[0]].to_numpy() if columns else None
    weights = table["weight"].to_numpy() if "weight" in table else None
    return Outcome(table["truth"].to_numpy(), table[f"{name}.predicted"].to_numpy(), scores, probabilistic, weights)
