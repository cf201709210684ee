"""Compiled boosters answer to the last bit what the libraries answer; what cannot be compiled says why."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from catboost import CatBoostClassifier
from hypothesis import given, settings
from hypothesis import strategies as st
from lightgbm import LGBMClassifier, LGBMRegressor
from tests.compile.boosters import BOOSTERS, calibrated, cat, extreme, light, light_regressor
from tests.compile.pipelines import usual
from tests.compile.tables import odd, table, target
from xgboost import XGBClassifier, XGBRegressor

from slipway.compile import compile_model
from slipway.errors import NotCompilable

pytestmark = pytest.mark.slow  # the file, more than each of its tests


@pytest.mark.parametrize("name", BOOSTERS)
@pytest.mark.filterwarnings("ignore")  # of unknown categories, which are what is tried here
def test_a_compiled_booster_answers_the_same_bits(name: str) -> None:
    task, make = BOOSTERS[name]
    model = make().fit(table(), target(task))
    compiled, frame = compile_model(model), odd().iloc[:3000]
    encoded = compiled.encode_frame(frame)
    answered = ~compiled.refused(encoded)
    for method in ["predict", *["predict_proba"] * hasattr(model, "predict_proba")]:
        wanted = getattr(model, method)(frame[answered])
        np.testing.assert_array_equal(getattr(compiled, method)(encoded[answered]), wanted, strict=True)


def test_a_table_of_whole_numbers_is_answered_as_lightgbm_rounds_it() -> None:
    rows = table()[["day", "count"]].assign(large=2**24 + np.arange(800))
    model = LGBMClassifier(n_estimators=5, verbose=-1, n_jobs=1).fit(rows, target("binary"))
    compiled = compile_model(model)
    encoded = compiled.encode_frame(rows)
    assert compiled.refused(encoded).sum() == 799  # all but 2 ** 24 itself
    np.testing.assert_array_equal(compiled.predict_proba(encoded[:1]), model.predict_proba(rows[:1]), strict=True)


@settings(max_examples=12, deadline=None)
@given(
    seed=st.integers(0, 1000),
    leaves=st.integers(2, 40),
    rate=st.sampled_from([0.01, 0.3, 1.7]),
    kind=st.sampled_from(["binary", "three", "regression"]),
    library=st.sampled_from(["lightgbm", "xgboost"]),
)
def test_any_trees_are_compiled_to_the_same_bits(seed: int, leaves: int, rate: float, kind: str, library: str) -> None:
    random = np.random.default_rng(seed)
    rows = table(400).iloc[random.permutation(400)]
    numbers = rows[["x0", "x1", "g0", "g1", "p0", "day"]]
    truth = target(kind)[:400]
    truth = truth if kind == "regression" else np.unique(truth, return_inverse=True)[1]
    estimators: dict[tuple[str, bool], Any] = {
        ("lightgbm", True): lambda: LGBMClassifier(num_leaves=leaves, verbose=-1, min_child_samples=1),
        ("lightgbm", False): lambda: LGBMRegressor(num_leaves=leaves, verbose=-1, min_child_samples=1),
        ("xgboost", True): lambda: XGBClassifier(max_leaves=leaves, grow_policy="lossguide"),
        ("xgboost", False): lambda: XGBRegressor(max_leaves=leaves, grow_policy="lossguide"),
    }
    model = estimators[library, kind != "regression"]()
    model.set_params(n_estimators=8, learning_rate=rate, n_jobs=1).fit(numbers, truth)
    compiled = compile_model(model)
    answer = "predict" if kind == "regression" else "predict_proba"
    wanted = getattr(model, answer)(numbers)
    np.testing.assert_array_equal(getattr(compiled, answer)(compiled.encode_frame(numbers)), wanted, strict=True)


@pytest.mark.parametrize(
    ("task", "make", "why"),
    [
        ("binary", lambda: light(boosting_type="rf", subsample=0.5, subsample_freq=1), "boosting_type=rf"),
        ("binary", lambda: light(zero_as_missing=True), "zero_as_missing"),
        ("three", lambda: light(objective="multiclassova"), "multiclassova"),
        ("regression", lambda: light_regressor(linear_tree=True), "linear_tree"),
        ("counts", lambda: light_regressor(reg_sqrt=True), "sqrt"),
        ("binary", lambda: extreme(booster="dart"), "booster=dart"),
        ("binary", lambda: usual(XGBClassifier(n_estimators=3, missing=-1.0)), "missing=-1"),
        ("yes_no", lambda: calibrated(extreme(), "isotonic"), "isotonic curve over scores in float32"),
        ("binary", lambda: cat(grow_policy="Lossguide"), "not symmetric"),
        ("three", lambda: cat(loss_function="MultiClassOneVsAll"), "MultiClassOneVsAll"),
        ("three", lambda: usual(CatBoostClassifier(iterations=3, verbose=0, allow_writing_files=False)), "two classes"),
        ("binary", lambda: usual(XGBRegressor(n_estimators=3, objective="reg:logistic")), "reg:logistic"),
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_a_booster_that_is_not_compiled_says_why(task: str, make: Callable[[], Any], why: str) -> None:
    model = make().fit(table(), target(task))
    with pytest.raises(NotCompilable, match=why):
        compile_model(model)
