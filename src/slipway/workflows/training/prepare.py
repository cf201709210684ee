"""The checks and the split before anything is trained: code, contract, classes, leaks."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from slipway.code import load_function, load_own
from slipway.core.prediction import classes_of
from slipway.core.spec import Data, OwnSplit
from slipway.data import Leak, Splits, audit, check_contract, fingerprint, in_order, labelled, read_source, split
from slipway.errors import CodeInvalid, ContractBroken, DataLeaks, DataUnusable
from slipway.registry.artifacts.shadows import shadowed
from slipway.search import Question, check_candidate, own_metrics, planned
from slipway.workflows.project import Declared


@dataclass(frozen=True)
class Prepared:
    """Rows that keep their contract, cut into training, validation and test rows.

    Attributes:
        frame: all rows, in an order that does not depend on their source.
        splits: the three parts.
        classes: the target's classes; empty for a regression.
        digests: the digest of all rows, under `all`, and of each part.
        spec: the experiment with all that its effort decides for these rows.
        doubts: columns that may give the target away.
        rows_without_target: how many rows of the source were left out, because their target is missing.
    """

    frame: pd.DataFrame
    splits: Splits
    classes: tuple[Any, ...]
    digests: Mapping[str, str]
    spec: Declared
    doubts: tuple[Leak, ...] = ()
    rows_without_target: int = 0


def check_code(declared: Declared) -> None:
    """Import and build everything that the experiment names, without data. Raises CodeInvalid."""
    experiment = declared.experiment
    if any(candidate.code for candidate in experiment.search.candidates.values()):
        _require_names_of_their_own(declared.code_files())
    for ref in (experiment.data.source.function, experiment.baseline.rule):
        if ref:
            load_function(declared.folder, ref)
    for gate in experiment.gates.own:
        load_own(declared.folder, gate, "gates")
    _own_splitter(declared)
    own_metrics(declared.folder, experiment, ())
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
    raw = read_source(declared.folder, experiment.name, experiment.data, declared.variables)
    if raw.empty:
        raise DataUnusable(f"the source of '{experiment.name}' has no rows; nothing was trained")
    frame, violations = check_contract(raw, experiment.data, now=now or datetime.now(UTC).replace(tzinfo=None))
    if violations:
        raise ContractBroken(experiment.name, violations)
    frame, without_target = labelled(frame, experiment.data)
    if frame.empty:
        raise DataUnusable(f"{experiment.data.target} is missing in all {len(raw):,} rows; nothing was trained")
    try:
        classes = classes_of(frame[experiment.data.target], experiment.task, experiment.data.positive)
    except ValueError as error:
        raise DataUnusable(f"{experiment.data.target}: {error}") from None
    frame = in_order(frame, experiment.data)
    experiment = planned(experiment, frame)
    splits = split(frame, experiment, _own_splitter(declared))
    _require_weights(splits, experiment.data)
    held_out = pd.concat([splits.validation, splits.test])
    leaks = audit(splits.train, held_out, experiment, classes)
    if fatal := [leak for leak in leaks if leak.fatal]:
        raise DataLeaks(experiment.name, fatal)
    digests = {"all": fingerprint(frame), **{name: fingerprint(part) for name, part in splits.parts().items()}}
    spec = replace(declared, experiment=experiment)
    return Prepared(frame, splits, classes, digests, spec, tuple(leaks), without_target)


def _own_splitter(declared: Declared) -> Callable[..., Any] | None:
    rule = declared.experiment.split
    return load_own(declared.folder, rule.function, "splitters") if isinstance(rule, OwnSplit) else None


def _require_weights(splits: Splits, data: Data) -> None:
    """Refuse a part of the split in which no row counts, since nothing can be fitted or measured on it."""
    if data.weight is None:
        return
    for name, part in splits.parts().items():
        if not part[data.weight].any():
            raise DataUnusable(
                f"{data.weight} is 0 in every row of the {name} part ({splits.rule}); no row of it counts"
            )


def question_of(declared: Declared, prepared: Prepared) -> Question:
    """Return the question that each trial of an experiment answers."""
    splits = prepared.splits
    return Question(declared.folder, declared.experiment, prepared.classes, splits.development, splits.folds)
