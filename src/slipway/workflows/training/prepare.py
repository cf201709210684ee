"""The checks and the split before anything is trained: code, contract, classes, leaks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from slipway.code import load_function
from slipway.core.prediction import classes_of
from slipway.data import Leak, Splits, audit, check_contract, fingerprint, read_source, split
from slipway.errors import CodeInvalid, ContractBroken, DataLeaks, DataUnusable
from slipway.registry.artifacts.shadows import shadowed
from slipway.search import Question, check_candidate, planned
from slipway.workflows.project import Declared


@dataclass(frozen=True)
class Prepared:
    """Rows that keep their contract, cut into training, validation and test rows.

    Attributes:
        frame: all rows.
        splits: the three parts.
        classes: the target's classes; empty for a regression.
        digests: the digest of all rows, under `all`, and of each part.
        spec: the experiment with all that its effort decides for these rows.
        doubts: columns that may give the target away.
    """

    frame: pd.DataFrame
    splits: Splits
    classes: tuple[Any, ...]
    digests: Mapping[str, str]
    spec: Declared
    doubts: tuple[Leak, ...] = ()


def check_code(declared: Declared) -> None:
    """Import and build everything that the experiment names, without data. Raises CodeInvalid."""
    experiment = declared.experiment
    if any(candidate.pipeline for candidate in experiment.search.candidates.values()):
        _require_names_of_their_own(declared.code_files())
    for ref in (experiment.data.source.function, experiment.baseline.rule, *experiment.gates.own):
        if ref:
            load_function(declared.folder, ref)
    for name in experiment.search.candidates:
        check_candidate(declared.folder, experiment, name)


def _require_names_of_their_own(travelling: Sequence[Path]) -> None:
    """Refuse files that would travel with a model under the name of a module that loading the model imports."""
    for path in travelling:
        if shadow := shadowed(path.stem):
            raise CodeInvalid(
                f"{path} would travel with the model and take the place of {shadow}, which loading the model needs; "
                "give the file another name"
            )


def prepare(declared: Declared, now: datetime | None = None) -> Prepared:
    """Read the data, check them against their contract, plan the search for so many rows, and split them.

    now: the time, naive UTC, by which the data have to be fresh; the present one where None.

    Raises ContractBroken with every violation, DataLeaks with every column that gives the target away, DataUnusable,
    CodeInvalid, FileUnusable.
    """
    experiment = declared.experiment
    raw = read_source(declared.folder, experiment.name, experiment.data)
    if raw.empty:
        raise DataUnusable(f"the source of '{experiment.name}' has no rows; nothing was trained")
    frame, violations = check_contract(raw, experiment.data, now=now or datetime.now(UTC).replace(tzinfo=None))
    if violations:
        raise ContractBroken(experiment.name, violations)
    try:
        classes = classes_of(frame[experiment.data.target], experiment.task, experiment.data.positive)
    except ValueError as error:
        raise DataUnusable(f"{experiment.data.target}: {error}") from None
    experiment = planned(experiment, frame)
    splits = split(frame, experiment)
    held_out = pd.concat([splits.validation, splits.test])
    leaks = audit(splits.train, held_out, experiment, classes)
    if fatal := [leak for leak in leaks if leak.fatal]:
        raise DataLeaks(experiment.name, fatal)
    digests = {"all": fingerprint(frame), **{name: fingerprint(part) for name, part in splits.parts().items()}}
    return Prepared(frame, splits, classes, digests, replace(declared, experiment=experiment), tuple(leaks))


def question_of(declared: Declared, prepared: Prepared) -> Question:
    """Return the question that each trial of an experiment answers."""
    splits = prepared.splits
    return Question(declared.folder, declared.experiment, prepared.classes, splits.development, splits.folds)
