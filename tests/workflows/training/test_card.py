"""The model card of a run and the report of `slipway check`, filled from the declaration, without MLflow."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.helpers.small_run import declare_small, run_small, write_rows

from slipway.core.gates import CATALOGUE
from slipway.core.spec import Experiment
from slipway.core.statistics.calibration import calibration
from slipway.registry.versions import Version
from slipway.reports.card import html, markdown
from slipway.types import Stage
from slipway.workflows.check import CheckReport
from slipway.workflows.release.register import Registered
from slipway.workflows.run import RunResult
from slipway.workflows.training.analysis import Findings
from slipway.workflows.training.card import model_card
from slipway.workflows.training.prepare import prepare

Declare = Callable[..., Experiment]
VERSION = Version("small", 1, Stage.NONE, "run", "models:/m-1", 0, {})
PROMISED: dict[str, Any] = {
    "sla": {"p99_ms": 50, "availability": 0.99, "report": "daily"},
    "monitor": {"metric": "roc_auc", "floor": 0.55},
    "gates": {"size": {"megabytes": 5}, "own": ["gates:few_alarms"]},
}
LATER = ("sla.availability 0.99", "sla.report daily", "monitor roc_auc 0.55 over 7 days")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "experiments" / "small"
    made.mkdir(parents=True)
    write_rows(made)
    return made


def test_check_lists_every_gate_what_is_promised_and_all_that_production_will_ask_for(
    declare: Declare, folder: Path
) -> None:
    spec = declare_small(declare, folder, **PROMISED)
    report = CheckReport(spec, prepare(spec))
    said, told = str(report), report.as_dict()
    assert [gate["name"] for gate in told["gates"]] == [*(entry.name for entry in CATALOGUE), "few_alarms"]
    assert all(gate["name"] in said for gate in told["gates"])
    assert "size (before Production): the model's files are at most so many megabytes (megabytes 5)" in said
    assert "not asked for: calibration, slices, latency, reproducible, freshness, approval" in said
    assert all(f"{promise} (not measured yet)" in said for promise in LATER)
    assert "→ declare scope.owner, as in `owner: team@example.com`, before the training" in said
    assert "→ declare gates.thresholds.roc_auc, as in `roc_auc: 0.7`, before the training" in said
    assert [duty["key"] for duty in told["undeclared"]] == ["scope.owner", "gates.thresholds.roc_auc"]


def test_the_card_lists_every_gate_and_says_what_is_not_measured_yet(declare: Declare, folder: Path) -> None:
    run = run_small(declare_small(declare, folder, **PROMISED))
    card = model_card("run", run.spec, run.prepared, run.evaluated, Findings(), [run.trial], run.trial)
    assert [gate.name for gate in card.gates] == [*(entry.name for entry in CATALOGUE), "few_alarms"]
    for text in (markdown(card).replace("\\", ""), html(card)):
        assert all(entry.name in text for entry in CATALOGUE)
        assert text.count("not measured yet") == 3


def test_a_calibration_that_is_far_off_is_warned_of_before_all_else(declare: Declare, folder: Path) -> None:
    """Weighed classes rank well and give no probabilities; nothing is said of costs, so nothing calibrates them."""
    weighed = {"it": {"estimator": "sklearn.linear_model.LogisticRegression", "params": {"class_weight": "balanced"}}}
    write_rows(folder, rows=2000, late=0.08)
    run = run_small(declare_small(declare, folder, weighed))
    found = Findings(calibration=calibration(run.spec.experiment.task, run.evaluated.outcome))
    card = model_card("run", run.spec, run.prepared, run.evaluated, found, [run.trial], run.trial)
    assert card.caveats[0].startswith("The probabilities cannot be taken at their word: they are 0.")
    result = RunResult(Registered(VERSION, True), "run", run.trial, run.evaluated, 1, 0, "", "", card.caveats[0])
    assert f"\n  WARNING     {card.caveats[0]}" in str(result)
    assert result.as_dict()["warning"] == card.caveats[0]
