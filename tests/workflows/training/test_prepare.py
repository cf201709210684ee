"""The code of an experiment is checked before its data are read."""

from collections.abc import Callable
from pathlib import Path

import pytest

from slipway.core.spec import Experiment
from slipway.errors import CodeInvalid
from slipway.workflows.project import Declared
from slipway.workflows.training.prepare import check_code

FEATURES = """
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline


def make():
    return make_pipeline(LogisticRegression())
"""
Declare = Callable[..., Experiment]


def test_a_file_that_would_take_the_place_of_a_library_is_named_before_the_search(
    tmp_path: Path, declare: Declare
) -> None:
    (tmp_path / "features.py").write_text(FEATURES)
    own = {"metric": "roc_auc", "candidates": {"own": {"pipeline": "features:make"}}}
    check_code(Declared(tmp_path, "", declare(search=own)))
    (tmp_path / "joblib.py").write_text("")
    with pytest.raises(CodeInvalid, match=r"joblib\.py would travel .* the place of joblib, .* another name"):
        check_code(Declared(tmp_path, "", declare(search=own)))
    check_code(Declared(tmp_path, "", declare()))  # no code travels with a model of Slipway's own preprocessing


def test_an_own_gate_that_is_not_there_is_named_before_the_search(tmp_path: Path, declare: Declare) -> None:
    (tmp_path / "gates.py").write_text("def few_alarms(evidence):\n    return True, ''\n")
    thresholds = {"roc_auc": 0.6}
    check_code(Declared(tmp_path, "", declare(gates={"thresholds": thresholds, "own": ["gates:few_alarms"]})))
    with pytest.raises(CodeInvalid, match="has no function 'few_alarm'; did you mean 'few_alarms'"):
        check_code(Declared(tmp_path, "", declare(gates={"thresholds": thresholds, "own": ["gates:few_alarm"]})))
