"""The analysis of a winner beyond its metrics: slices, groups, calibration, decision, the version in Production."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
from mlflow import MlflowClient

from slipway.core.naming import key_part
from slipway.core.spec import Experiment
from slipway.core.statistics.calibration import Calibration, calibration
from slipway.core.statistics.costs import answered_from, mean_cost
from slipway.core.statistics.disagreement import DisputedRow, disagreement, disputed_rows
from slipway.core.statistics.metrics import Outcome
from slipway.core.statistics.slices import Slice, slice_labels, slices
from slipway.progress import step
from slipway.registry.artifacts.fetch import fetch_verified
from slipway.registry.artifacts.models import temporary_folder
from slipway.registry.evidence.rescoring import SameRows, rescore
from slipway.registry.evidence.test_rows import TestRows
from slipway.registry.versions import list_versions
from slipway.reports.card import CardDecision, CardDisagreement, CardFairness
from slipway.reports.fairness import fairness
from slipway.search import search_metric
from slipway.settings import Settings
from slipway.types import Stage
from slipway.workflows.project import Declared
from slipway.workflows.training.evaluate import Evaluated
from slipway.workflows.training.winner import Winner


@dataclass(frozen=True)
class Findings:
    """The findings of an analysis; each is empty where the experiment does not ask for it, or it is not defined.

    Attributes:
        slices: the metric on each slice, against the rest.
        fairness: the differences between the groups of each sensitive column.
        calibration: how far the probabilities can be believed.
        decided: the decision threshold and its costs.
        disagreement: the rows on which the version in Production answers otherwise.
        doubts: sentences that say what could not be found out, and why.
    """

    slices: tuple[Slice, ...] = ()
    fairness: tuple[CardFairness, ...] = ()
    calibration: Calibration | None = None
    decided: CardDecision | None = None
    disagreement: CardDisagreement | None = None
    doubts: tuple[str, ...] = field(default=())

    def metrics(self) -> dict[str, float]:
        """Return the findings that are single numbers, as metrics of the run."""
        numbers: dict[str, float] = {}
        if self.slices:
            numbers["slices_worse"] = sum(part.worse for part in self.slices)
        if self.calibration:
            numbers["test_calibration_error"] = self.calibration.error
        if self.disagreement:
            numbers["disagreement_with_production"] = self.disagreement.rate
        for column in self.fairness:
            named = {name.replace(" ", "_"): value for name, value in column.differences.items() if value is not None}
            numbers |= {f"{name}_{key_part(column.column)}": value for name, value in named.items()}
        return numbers

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return the findings that are tables, by the name of the file."""
        tables: dict[str, pd.DataFrame] = {}
        if self.slices:
            tables["slices"] = pd.DataFrame([_slice_facts(part) for part in self.slices])
        if self.disagreement and self.disagreement.disputed:
            tables["disagreement"] = pd.DataFrame([_disputed(row) for row in self.disagreement.disputed])
        return tables


def find(
    client: MlflowClient, settings: Settings, spec: Declared, tested: TestRows, evaluated: Evaluated, winner: Winner
) -> Findings:
    """Analyse the winner's answers on the test rows in all the ways that the experiment declares."""
    experiment, outcome = spec.experiment, evaluated.outcome
    labels = {name: slice_labels(tested.rows[name]) for name in experiment.evaluation.columns}
    groups = {name: labels[name] for name in experiment.evaluation.sensitive}
    with step(f"slices: {', '.join(labels) or 'none declared'}"):
        parts = slices(
            outcome, labels, search_metric(spec.folder, experiment, tested.classes), seed=experiment.search.seed
        )
    apart, doubts = _disagreement(client, settings, experiment, tested, outcome)
    return Findings(
        slices=parts,
        fairness=fairness(experiment.task, outcome, groups, [str(name) for name in tested.classes]),
        calibration=calibration(experiment.task, outcome),
        decided=_decided(experiment, evaluated, winner),
        disagreement=apart,
        doubts=doubts,
    )


def _decided(experiment: Experiment, evaluated: Evaluated, winner: Winner) -> CardDecision | None:
    costs, outcome = experiment.scope.costs, evaluated.outcome
    if costs is None or evaluated.cost is None or winner.threshold is None:
        return None
    ones = np.ones(outcome.rows)
    at_half, yes, no = (mean_cost(answered_from(outcome, at), costs)(ones) for at in (0.5, -np.inf, np.inf))
    return CardDecision(
        winner.threshold,
        costs.false_positive,
        costs.false_negative,
        evaluated.cost,
        at_half,
        yes,
        no,
        winner.calibrated,
    )


def _disagreement(
    client: MlflowClient, settings: Settings, experiment: Experiment, tested: TestRows, outcome: Outcome
) -> tuple[CardDisagreement | None, tuple[str, ...]]:
    """Compare with the answers of the version in Production on the same rows.

    The second value says why, where that version could not answer; both are empty where nothing is in Production.
    """
    live = [version for version in list_versions(client, experiment.name) if version.stage is Stage.PRODUCTION]
    if not live:
        return None, ()
    (version,) = live
    trusted = (*experiment.search.trusted_types, *settings.trusted_types)
    with step(f"version {version.number} in Production, on the same rows"), temporary_folder() as made:
        production = rescore(lambda: fetch_verified(version, Path(made)), SameRows(experiment, tested), trusted)
    if production.outcome is None:
        return None, (f"Version {version.number} in Production could not be compared: {production.problem}.",)
    apart = disagreement(experiment.task, outcome, production.outcome)
    rows = disputed_rows(apart, tested.rows, experiment.data.features, tested.classes, outcome, production.outcome)
    return CardDisagreement(version.number, apart.rate, apart.mean, apart.measured, outcome.rows, rows), ()


def _slice_facts(part: Slice) -> Mapping[str, object]:
    facts: dict[str, object] = {"column": part.column, "value": part.value, "rows": part.rows}
    for name, interval in (("metric", part.interval), ("difference", part.difference)):
        ends = (interval.value, interval.low, interval.high) if interval else (None, None, None)
        facts |= dict(zip((name, f"{name}_low", f"{name}_high"), ends, strict=True))
    return {**facts, "worse": part.worse, "reason": part.reason}


def _disputed(row: DisputedRow) -> Mapping[str, object]:
    answers = {"answer": row.left.label, "in_production": row.right.label}
    scores = {"score": row.left.score, "production_score": row.right.score}
    return {**row.values, "truth": row.truth, **answers, **scores}
