"""The effort of a search: what it means for a table in trials, seconds, folds, halving and candidates.

Whatever an experiment declares is kept; an effort decides the rest. benchmarks/README.md says what was measured.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import pandas as pd

from slipway.core.spec import Candidate, Experiment, GroupSplit, Halving, OwnSplit, RandomSplit, Split, TimeSplit
from slipway.errors import DataUnusable
from slipway.search.portfolio import portfolio


@dataclass(frozen=True)
class Effort:
    """One row of the table of efforts.

    Attributes:
        trials: The number of trials.
        seconds: The seconds of any table.
        per_million: The seconds more for each million of cells, rows times features.
        most_s: The most seconds.
        patience: The trials in a row without a better one that end the search; None for no such end.
        folds: The folds where rows are few.
        ensemble: Whether trials may answer together.
    """

    trials: int
    seconds: float
    per_million: float
    most_s: float
    patience: int | None
    folds: int
    ensemble: bool


EFFORTS: Mapping[str, Effort] = MappingProxyType(
    {
        "fast": Effort(12, 60, 30, 900, None, 3, ensemble=False),
        "normal": Effort(40, 300, 120, 3600, None, 5, ensemble=True),
        "best": Effort(150, 1800, 600, 4 * 3600, None, 5, ensemble=True),
    }
)

FEW_ROWS = 4000
"""Below so many rows a single validation part is so small that its noise chooses the winner."""
# Boosting that stops by itself takes half the time on a third of 30,000 to 50,000 rows, so that halving saves next to nothing
# there, and a ninth of them ranks trials badly (rank correlation 0.3 to 0.4, and 0.8 on a third).
_HALVED_FROM = 100_000
_HALVED_TWICE_FROM = 1_000_000
# Whoever gives the time alone gets all of it.
_UNCOUNTED = 1_000


def planned(experiment: Experiment, frame: pd.DataFrame) -> Experiment:
    """Return the experiment with all that its effort decides for a table; without an effort, as it is.

    What an effort decided counts as declared from then on, so an experiment that was planned stays as it is.
    Raises DataUnusable when no feature is left to the candidates of the portfolio.
    """
    search = experiment.search
    if search.effort is None:
        return experiment
    effort, features, rows = EFFORTS[search.effort], len(experiment.data.features), len(frame)
    split = _split(experiment, frame, effort)
    seconds = min(effort.most_s, effort.seconds + effort.per_million * rows * max(1, features) / 1e6)
    changes: dict[str, Any] = {
        "trials": search.trials or (_UNCOUNTED if search.timeout_s else effort.trials),
        "timeout_s": search.timeout_s or float(round(seconds)),
        "ensemble": search.ensemble or ("auto" if effort.ensemble else "never"),
        "halving": search.halving or (None if search.trials else _halving(split, rows)),
        "patience": search.patience or (None if search.trials or search.timeout_s else effort.patience),
        "candidates": search.candidates or _candidates(experiment, rows),
    }
    return experiment.model_copy(update={"search": search.model_copy(update=changes), "split": split})


def in_words(experiment: Experiment) -> str:
    """Say how much a planned experiment searches, and how, in one line."""
    search, folds = experiment.search, experiment.split.folds
    named = f"effort {search.effort}: " if search.effort else ""
    trials = "as many trials as fit" if search.most_trials == _UNCOUNTED else f"up to {search.most_trials:,} trials"
    budget = f"{trials} into {search.most_s:g} s" if trials.startswith("as") else f"{trials} or {search.most_s:g} s"
    each = f"each on {folds} folds" if folds else "each on one validation part"
    if search.halving:
        each += f", weak ones on {search.halving.shares[0]:.0%} of the training rows only"
    together = "; several answer together where that is better beyond the noise" if search.ensemble == "auto" else ""
    return f"{named}{budget} for the best {search.metric}, {each}{together}"


def _candidates(experiment: Experiment, rows: int) -> dict[str, Candidate]:
    features = len(experiment.data.features)
    if not features:
        raise DataUnusable(
            "no column is a feature: `data.columns` declares the target, and none that a model could learn from"
        )
    named = portfolio(experiment.task, rows, features, str(experiment.search.effort))
    return {name: Candidate.model_validate(values) for name, values in named.items()}


def _split(experiment: Experiment, frame: pd.DataFrame, effort: Effort) -> Split:
    """Return the split with folds where rows are few and nothing is said about validation.

    A split by time keeps its validation part: the folds of a time series train on the past alone, so most would see too little.
    """
    split = experiment.split
    if isinstance(split, TimeSplit | OwnSplit) or split.folds or split.validation or len(frame) >= FEW_ROWS:
        return split
    folds = min(effort.folds, _most_folds(experiment, frame, split))
    return split.model_copy(update={"folds": folds}) if folds > 1 else split


def _most_folds(experiment: Experiment, frame: pd.DataFrame, split: GroupSplit | RandomSplit) -> int:
    """Return how many folds there can be so that each validates on two rows of every class, and on a group of its own."""
    most = len(frame)
    if experiment.task.is_classification:
        rarest = int(frame[experiment.data.target].value_counts().min())
        most = int(rarest * (1 - split.test)) // 2
    if isinstance(split, GroupSplit):
        most = min(most, frame[split.group].nunique() - 1)
    return most


def _halving(split: Split, rows: int) -> Halving | None:
    """Return halving where rows are many: a third of them, or of very many a ninth first, tells weak trials from good ones."""
    if split.folds or rows < _HALVED_FROM:
        return None
    return Halving(factor=3, min_share=0.1 if rows >= _HALVED_TWICE_FROM else 0.3)
