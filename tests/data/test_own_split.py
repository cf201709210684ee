"""A splitter of the experiment's own: scikit-learn's or pairs of positions, checked before anything is trained."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import GroupKFold, KFold, ShuffleSplit
from tests.helpers.small_run import run_small, write_rows

from slipway.core.spec import Experiment
from slipway.data import split
from slipway.errors import CodeInvalid
from slipway.workflows.project import Declared
from slipway.workflows.training.card import _search
from slipway.workflows.training.prepare import check_code

ROWS = 200
COLUMNS = {
    "late": {"type": "int"},
    "minutes": {"type": "float"},
    "port": {"type": "category"},
    "t": {"type": "datetime"},
}


def frame() -> pd.DataFrame:
    days = pd.Timestamp("2013-01-01") + pd.to_timedelta(np.arange(ROWS), unit="D")
    ports = np.array(list("abcdefgh"))[np.arange(ROWS) // 3 % 8]
    return pd.DataFrame({"late": np.arange(ROWS) % 2, "minutes": np.arange(ROWS) * 1.0, "port": ports, "t": days})


def of(declare: Callable[..., Experiment], **rule: Any) -> Experiment:
    data = {"source": {"csv": "rows.csv"}, "target": "late", "time": "t", "columns": COLUMNS}
    return declare(data=data, split={"method": "own", "function": "features:folds", **rule})


def test_a_splitter_of_scikit_learn_makes_the_folds(declare: Callable[..., Experiment]) -> None:
    parts = split(frame(), of(declare), lambda _: KFold(5, shuffle=True, random_state=1))
    assert len(parts.folds) == 5 and list(parts.parts()) == ["development", "test"]
    assert parts.parts()["development"].equals(split(frame(), of(declare), lambda _: KFold(2)).development)


def test_a_splitter_gets_its_groups(declare: Callable[..., Experiment]) -> None:
    parts = split(frame(), of(declare, group="port", params={"count": 4}), lambda _, count: GroupKFold(count))
    assert len(parts.folds) == 4 and len(parts.test) == 40
    for train, validation in parts.folds:
        ports = [set(parts.development["port"].iloc[side]) for side in (train, validation)]
        assert not ports[0] & ports[1]
    assert parts.rule.startswith("by features:folds (GroupKFold(n_splits=4, ") and parts.rule.endswith(
        "4 folds; test at random, classes in proportion"
    )


def purged(rows: pd.DataFrame) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return two folds with a gap of ten days between training and validation rows."""
    order = np.argsort(rows["t"].to_numpy())
    return [(order[: cut - 10], order[cut : cut + 40]) for cut in (80, 120)]


def test_pairs_of_positions_are_folds_and_the_test_part_is_cut_by_time(declare: Callable[..., Experiment]) -> None:
    parts = split(frame(), of(declare, test_from="2013-06-10"), purged)
    assert (parts.test["t"] >= "2013-06-10").all() and (parts.development["t"] < "2013-06-10").all()
    assert [len(validation) for _, validation in parts.folds] == [40, 40]
    assert parts.rule == "by features:folds, 2 folds; test from 2013-06-10 00:00:00"


def test_the_first_pair_may_cut_the_test_part(declare: Callable[..., Experiment]) -> None:
    def last(rows: pd.DataFrame) -> list[tuple[np.ndarray, np.ndarray]]:
        cut = len(rows) * 4 // 5
        return [(np.arange(cut), np.arange(cut, len(rows)))]

    parts = split(frame(), of(declare, test="first"), last)
    assert parts.test.index.tolist() == list(range(160, 200))
    assert {name: len(part) for name, part in parts.parts().items()} == {"train": 128, "validation": 32, "test": 40}


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (lambda _: ShuffleSplit(3), "gave other pairs when it was called again; give it a random_state"),
        (lambda rows: [(np.arange(90), np.arange(80, len(rows)))], "10 rows are on both sides of pair 1"),
        (lambda _: [(np.arange(10), np.arange(10, 20))], "uses 20 of 160 development rows"),
        (lambda _: [(np.arange(100), np.arange(100, 999))], "names position 998; positions are 0 to 159"),
        (lambda _: [(np.zeros(100, dtype=int), np.arange(100, 160))], "the training side of pair 1 names a row twice"),
        (lambda _: [(np.arange(160), np.array([], dtype=int))], "the validation side of pair 1 has no rows"),
        (lambda _: [], "gave 0 pairs; 1 to 50 are allowed"),
        (lambda _: [(np.arange(100) * 1.5, np.arange(100, 160))], "a side of a pair is a list of whole numbers"),
        (lambda _: 5, "TypeError: .*returns a scikit-learn splitter"),
        (lambda rows: rows["nowhere"], "features:folds failed: KeyError"),
    ],
)
def test_what_is_no_split_is_refused(
    declare: Callable[..., Experiment], function: Callable[..., Any], said: str
) -> None:
    with pytest.raises(CodeInvalid, match=said):
        split(frame(), of(declare), function)


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({"test_from": "2013-06-10", "test": 0.3}, "give one of test_from and test"),
        ({"function": "features.folds"}, "should match pattern"),
        ({"test": "last"}, "test"),
    ],
)
def test_a_rule_without_sense_is_refused(declare: Callable[..., Experiment], rule: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        of(declare, **rule)


def test_a_date_needs_a_time(declare: Callable[..., Experiment]) -> None:
    with pytest.raises(ValueError, match=r"a test part from a date on needs data\.time"):
        declare(split={"method": "own", "function": "features:folds", "test_from": "2013-01-01"})


def test_a_run_trains_on_the_folds_and_the_card_names_them(declare: Callable[..., Experiment], tmp_path: Path) -> None:
    write_rows(tmp_path, rows=300)
    (tmp_path / "features.py").write_text(
        "from sklearn.model_selection import StratifiedKFold\n\n\n"
        "def folds(rows):\n    return StratifiedKFold(3, shuffle=True, random_state=0)\n"
    )
    candidates = {"logistic": {"estimator": "sklearn.linear_model.LogisticRegression"}}
    experiment = declare(
        split={"method": "own", "function": "features:folds"}, search={"metric": "roc_auc", "candidates": candidates}
    )
    spec = Declared(tmp_path, "", experiment)
    check_code(spec)
    found = run_small(spec)
    assert "(StratifiedKFold(n_splits=3, random_state=0, shuffle=True)), 3 folds" in found.prepared.splits.rule
    assert _search(experiment, len(found.prepared.splits.folds), [found.trial], found.trial).folds == 3
