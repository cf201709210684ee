"""An experiment's own gates are run by the code that the run of the version kept, and say so where they are not."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient
from tests.helpers.trained import SPEC, bundle_of, write_trained

from slipway.core.release.policy_gate import Rule
from slipway.core.spec import Experiment
from slipway.registry.evidence.rescoring import SameRows, rows_of
from slipway.registry.evidence.test_rows import FOLDER, load
from slipway.registry.versions import Version
from slipway.settings import Settings
from slipway.tracking.lineage import code_digest
from slipway.types import Stage, Verdict
from slipway.workflows.project import Declared
from slipway.workflows.promotion.judged_inputs import JudgedInputs
from slipway.workflows.promotion.own_gates import marked_as_kept, own_verdicts
from slipway.workflows.training.run_artifacts import log_gate_code

pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy:DeprecationWarning")
OWN = {"thresholds": {"roc_auc": 0.6}, "own": ["gates:strict"]}
STRICT = "from limits import LIMIT\n\n\ndef strict(evidence):\n    return LIMIT < 1, f'the limit is {LIMIT}'\n"
Make = Callable[..., tuple[Settings, JudgedInputs]]


def write_code(folder: Path, limit: int) -> Path:
    folder.mkdir(parents=True)
    (folder / "gates.py").write_text(STRICT)
    (folder / "limits.py").write_text(f"LIMIT = {limit}\n")
    return folder


@pytest.fixture
def made(tmp_path: Path) -> Make:
    """Return a function that makes the inputs of a version whose code had the limit 5, and settings of a project.

    now: the limit in the project today. kept: that in the run's own copy; None for a run that kept none.
    """

    def make(*, now: int, kept: int | None) -> tuple[Settings, JudgedInputs]:
        working = write_code(tmp_path / "experiments" / "small", now)
        digest = code_digest(write_code(tmp_path / "then", 5))
        tags = {**write_trained(tmp_path / "run", gates=OWN), "slipway.code_digest": digest}
        copy = None if kept is None else write_code(tmp_path / "run" / FOLDER / "code", kept)
        rows = SameRows(Experiment.model_validate({**SPEC, "gates": OWN}), load(tmp_path / "run" / FOLDER), copy)
        version = Version("small", 1, Stage.NONE, "run", "source", 0, tags)
        return Settings(working.parents[1], tmp_path), JudgedInputs(
            version, tmp_path / "run" / "model", rows, "rows", rows.experiment, Rule("small")
        )

    return make


def asked(settings: Settings, inputs: JudgedInputs) -> Verdict:
    bundle = bundle_of("small", 1, dict(inputs.version.tags), Stage.PRODUCTION)
    (verdict,) = own_verdicts(settings, inputs, inputs.evidence(bundle))
    return verdict


def test_the_code_of_the_run_is_asked_whatever_the_folder_says_today(made: Make) -> None:
    assert asked(*made(now=0, kept=5)) == Verdict("strict", False, "the limit is 5")


def test_a_run_that_kept_no_code_is_judged_by_the_folder_if_it_has_not_changed(made: Make) -> None:
    assert asked(*made(now=5, kept=None)) == Verdict("strict", False, "the limit is 5")


def test_a_verdict_by_code_that_changed_since_says_so_in_words_and_as_a_number(made: Make) -> None:
    verdict = asked(*made(now=0, kept=None))
    assert verdict.passed and verdict.numbers == {"code_differs": 1.0}
    assert verdict.reason.startswith("the limit is 0 (by the Python files of experiments/small as they are now (")
    assert verdict.reason.endswith("), since it kept no copy)") and "which are not those of the run (" in verdict.reason


def test_a_copy_that_is_not_the_code_of_the_digest_says_so_and_the_judge_sees_it_too(made: Make) -> None:
    settings, inputs = made(now=5, kept=0)
    verdict = asked(settings, inputs)
    assert verdict.numbers == {"code_differs": 1.0} and "by code that its run kept" in verdict.reason
    sent = Verdict("strict", True, "the limit is 0")
    assert marked_as_kept(sent, inputs) == verdict == marked_as_kept(verdict, inputs)
    assert marked_as_kept(sent, replace(inputs, rows=replace(inputs.rows, code=None))) == sent


def test_a_run_keeps_the_code_of_its_gates_among_its_evidence(
    store: MlflowClient,
    tested_run: Callable[..., tuple[str, dict[str, str]]],
    tmp_path: Path,
    declare: Callable[..., Experiment],
) -> None:
    folder = write_code(tmp_path / "small", 5)
    (folder / "parts").mkdir()
    (folder / "parts" / "more.py").write_text("")
    for gates, kept in ((OWN, True), ({}, False)):
        experiment: Any = declare(gates=gates)
        run_id, _ = tested_run(experiment)
        log_gate_code(store, run_id, Declared(folder, "", experiment))
        (into := tmp_path / f"into {kept}").mkdir()
        code = rows_of(store, run_id, into).code
        assert (code is not None) is kept
        assert code is None or code_digest(code) == code_digest(folder)
