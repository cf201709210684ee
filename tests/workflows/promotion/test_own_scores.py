"""Own metrics are computed for the gates by the code that the run kept, and by no other."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from tests.helpers.trained import SPEC, TRUTH, bundle_of, write_trained

from slipway.core.gates import Measured, judge
from slipway.core.release.policy_gate import Rule
from slipway.core.spec import Experiment
from slipway.registry.evidence.bundle import EvidenceBundle
from slipway.registry.evidence.rescoring import SameRows
from slipway.registry.evidence.test_rows import FOLDER, load
from slipway.registry.versions import Version
from slipway.settings import Settings
from slipway.tracking.lineage import code_digest
from slipway.types import Stage
from slipway.workflows.promotion.judged_inputs import JudgedInputs
from slipway.workflows.promotion.own_scores import with_own_scores

PROFIT = "def profit(y_true, y_pred, sample_weight=None):\n    return {gain} * float((y_true == y_pred).mean())\n"
SECTIONS = {
    "search": {**SPEC["search"], "metric": "profit", "metrics": {"profit": "own_profit_code:profit"}},
    "gates": {"thresholds": {"profit": 6}},
}
Make = Callable[[int | None], tuple[Settings, JudgedInputs, EvidenceBundle]]


def write_code(folder: Path, gain: int) -> Path:
    folder.mkdir(parents=True)
    (folder / "own_profit_code.py").write_text(PROFIT.format(gain=gain))
    return folder


@pytest.fixture
def made(tmp_path: Path) -> Make:
    """Return a function that makes the inputs of a version whose code gained 7, with the copy that its run kept, if any."""

    def make(kept: int | None) -> tuple[Settings, JudgedInputs, EvidenceBundle]:
        working = write_code(tmp_path / "experiments" / "small", 100)
        digest = code_digest(write_code(tmp_path / "then", 7))
        tags = {**write_trained(tmp_path / "run", **SECTIONS), "slipway.code_digest": digest}
        copy = None if kept is None else write_code(tmp_path / "run" / FOLDER / "code", kept)
        rows = SameRows(Experiment.model_validate({**SPEC, **SECTIONS}), load(tmp_path / "run" / FOLDER), copy)
        version = Version("small", 1, Stage.NONE, "run", "source", 0, tags)
        inputs = JudgedInputs(version, tmp_path / "run" / "model", rows, "rows", rows.experiment, Rule("small"))
        return Settings(working.parents[1], tmp_path), inputs, bundle_of("small", 1, tags, Stage.STAGING)

    return make


def test_the_code_of_the_run_computes_it_and_the_bundle_carries_it_to_the_judge(made: Make) -> None:
    settings, inputs, bundle = made(7)
    measured = with_own_scores(settings, inputs, inputs.evidence(bundle))
    assert measured.scores is not None and measured.scores.values == {"profit": 7.0}
    assert measured.scores.differences["baseline:prior"].value == pytest.approx(7 * TRUTH.mean())
    sent = EvidenceBundle.from_bytes(replace(bundle, measured=measured).to_bytes())
    thresholds, baseline = judge(inputs.evidence(sent), Stage.STAGING)
    assert thresholds.passed and thresholds.reason.startswith("profit 7.0000 is at least 6")
    assert baseline.passed


@pytest.mark.parametrize("kept", [None, 9])
def test_code_that_is_not_that_of_the_run_computes_nothing(made: Make, kept: int | None) -> None:
    settings, inputs, bundle = made(kept)
    measured = with_own_scores(settings, inputs, inputs.evidence(bundle))
    assert measured.scores is None
    for verdict in judge(inputs.evidence(replace(bundle, measured=measured)), Stage.STAGING):
        assert not verdict.passed and "it would be computed by" in verdict.reason


def test_without_own_metrics_nothing_is_measured(made: Make) -> None:
    settings, inputs, bundle = made(7)
    evidence = replace(inputs.evidence(bundle), experiment=Experiment.model_validate(SPEC))
    assert with_own_scores(settings, inputs, evidence) == Measured()
