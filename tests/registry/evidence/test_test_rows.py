from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from slipway.core.statistics.metrics import Outcome, measure
from slipway.core.tasks import Task
from slipway.registry.evidence.test_rows import TestRows, load, save

ROWS = pd.DataFrame(
    {
        "late": [1, 0, 1, 0],
        "minutes": [1.5, np.nan, 0.1 + 0.2, -0.0],
        "port": pd.Series(["é", None, "", "007"], dtype="str"),
        "when": pd.to_datetime(["2013-01-01T00:00:00.000001"] * 4).astype("datetime64[us]"),
        "holiday": [True, False, True, False],
    }
)
TRUTH = np.array([1.0, 0.0, 1.0, 0.0])


def binary() -> dict[str, Outcome]:
    prior = Outcome(TRUTH, np.zeros(4), np.full(4, 1 / 3), True)
    return {"prior": prior, "port_rule": Outcome(TRUTH, TRUTH, TRUTH, False)}


def several() -> dict[str, Outcome]:
    scores = np.random.default_rng(0).dirichlet(np.ones(12), 4)  # more classes than one digit counts
    return {"prior": Outcome(np.array([0.0, 11.0, 2.0, 5.0]), np.zeros(4), scores, True)}


def values() -> dict[str, Outcome]:
    return {"mean": Outcome(np.array([1.5, 2.5, -1.0, 0.0]), np.full(4, 0.75))}


@pytest.mark.parametrize(
    ("baselines", "classes", "task"),
    [
        (binary(), (0, 1), Task.BINARY),
        (binary(), ("early", "späť"), Task.BINARY),
        (binary(), (False, True), Task.BINARY),
        (several(), tuple(range(12)), Task.MULTICLASS),
        (values(), (), Task.REGRESSION),
    ],
)
def test_what_is_kept_comes_back_bit_for_bit(tmp_path: Path, baselines: dict, classes: tuple, task: Task) -> None:
    kept = TestRows(ROWS, "late", classes, baselines)
    save(tmp_path / "deep" / "evidence", kept)
    found = load(tmp_path / "deep" / "evidence")
    pd.testing.assert_frame_equal(found.rows, ROWS, check_exact=True)
    assert (found.target, found.classes, list(found.baselines)) == ("late", classes, list(baselines))
    assert [type(label) for label in found.classes] == [type(label) for label in classes]
    assert found.truth.tolist() == [1, 0, 1, 0]
    for name, outcome in baselines.items():
        assert found.baselines[name].probabilistic == outcome.probabilistic
        for part in ("truth", "predicted", "scores"):
            assert np.array_equal(getattr(found.baselines[name], part), getattr(outcome, part))
        assert measure(task, found.baselines[name]) == pytest.approx(measure(task, outcome), nan_ok=True)


def test_the_index_of_the_rows_does_not_travel(tmp_path: Path) -> None:
    save(tmp_path, TestRows(ROWS.set_index(pd.Index([9, 7, 5, 3])), "late", (0, 1), binary()))
    assert load(tmp_path).rows.index.tolist() == [0, 1, 2, 3]
