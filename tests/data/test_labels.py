"""Rows without a target: left out and counted where the target may be missing, a violation with the way out elsewhere."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from slipway.core.spec import Experiment
from slipway.data import check_contract, labelled
from slipway.errors import ContractBroken, DataUnusable
from slipway.workflows.check import CheckReport
from slipway.workflows.project import Declared
from slipway.workflows.training.prepare import prepare

NOW = datetime(2026, 1, 1)


def of(declare: Callable[..., Experiment], kind: str, nulls: float, task: str = "binary") -> Experiment:
    columns = {"late": {"type": kind, "nulls": nulls}, "minutes": {"type": "float", "known": "the timetable"}}
    data = {"source": {"csv": "rows.csv"}, "target": "late", "columns": columns}
    metric = "rmse" if task == "regression" else "roc_auc"
    estimator = "sklearn.linear_model." + ("Ridge" if task == "regression" else "LogisticRegression")
    return declare(task=task, data=data, search={"metric": metric, "candidates": {"one": {"estimator": estimator}}})


@pytest.mark.parametrize(
    ("kind", "values", "expected"),
    [
        ("int", [1, None, 0, 1], [1, 0, 1]),
        ("bool", [True, None, False, True], [True, False, True]),
        ("category", ["yes", None, "no", "yes"], ["yes", "no", "yes"]),
        ("float", [1.5, None, -2.0, 1.0], [1.5, -2.0, 1.0]),
    ],
)
def test_the_target_has_its_own_type_again(
    declare: Callable[..., Experiment], kind: str, values: list[Any], expected: list[Any]
) -> None:
    data = of(declare, kind, 0.5, "regression" if kind == "float" else "binary").data
    raw = pd.DataFrame({"late": pd.Series(values, dtype=object), "minutes": np.arange(4.0)})
    checked, violations = check_contract(raw, data, now=NOW)
    frame, left_out = labelled(checked, data)
    assert not violations and left_out == 1
    assert frame["late"].tolist() == expected and frame["minutes"].tolist() == [0.0, 2.0, 3.0]
    assert [type(value) for value in frame["late"].tolist()] == [type(value) for value in expected]


def rows(missing: int) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    minutes = rng.normal(size=200)
    late = pd.Series((minutes + rng.normal(size=200) > 0).astype(int), dtype="Int64")
    late.iloc[:missing] = pd.NA
    return pd.DataFrame({"late": late, "minutes": minutes})


def spec_in(folder: Path, declare: Callable[..., Experiment], missing: int, nulls: float) -> Declared:
    rows(missing).to_csv(folder / "rows.csv", index=False)
    return Declared(folder, "", of(declare, "int", nulls))


def test_they_are_left_out_counted_and_told(declare: Callable[..., Experiment], tmp_path: Path) -> None:
    spec = spec_in(tmp_path, declare, 20, 0.2)
    prepared = prepare(spec)
    assert prepared.rows_without_target == 20 and len(prepared.frame) == 180 and prepared.classes == (0, 1)
    report = CheckReport(spec, prepared)
    assert "180 rows keep the contract of 2 columns; 20 more have no late and are left out" in str(report)
    assert report.as_dict()["rows_without_target"] == 20


def test_the_digest_is_of_the_rows_that_are_used(declare: Callable[..., Experiment], tmp_path: Path) -> None:
    spec = spec_in(tmp_path, declare, 20, 0.2)
    digests = prepare(spec).digests
    table = rows(20)
    table.loc[:5, "minutes"] = 77.0
    table.to_csv(tmp_path / "rows.csv", index=False)
    assert prepare(spec).digests == digests


def test_more_of_them_than_declared_break_the_contract(declare: Callable[..., Experiment], tmp_path: Path) -> None:
    with pytest.raises(ContractBroken, match=r"missing in more than the allowed share of 0\.05"):
        prepare(spec_in(tmp_path, declare, 20, 0.05))


def test_where_none_may_be_missing_the_violation_says_the_way_out(
    declare: Callable[..., Experiment], tmp_path: Path
) -> None:
    with pytest.raises(ContractBroken, match="`nulls: SHARE` on this column, the target, leaves such rows out"):
        prepare(spec_in(tmp_path, declare, 20, 0.0))


def test_a_source_without_any_target_is_refused(declare: Callable[..., Experiment], tmp_path: Path) -> None:
    with pytest.raises(DataUnusable, match="late is missing in all 200 rows"):
        prepare(spec_in(tmp_path, declare, 200, 1.0))
