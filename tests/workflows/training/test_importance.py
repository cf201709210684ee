"""The permutation importance of columns: the same numbers as scikit-learn's, with few calls of the model."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder

from slipway.workflows.training.importance import permuted, sampled

ROWS = 500


def a_table() -> tuple[pd.DataFrame, pd.Series]:
    rng = np.random.default_rng(3)
    port = pd.Series(rng.choice(["hill", "sea"], ROWS), dtype="category")
    rows = pd.DataFrame({"minutes": rng.normal(size=ROWS), "noise": rng.normal(size=ROWS), "port": port})
    return rows, rows["minutes"] * 3 + (rows["port"] == "sea") + rng.normal(size=ROWS) / 10


def fitted(rows: pd.DataFrame, truth: pd.Series) -> Pipeline:
    encoded = make_column_transformer((OneHotEncoder(), ["port"]), remainder="passthrough")
    return make_pipeline(encoded, LinearRegression()).fit(rows, truth)


def test_the_importances_are_those_of_scikit_learn_with_few_calls_of_the_model() -> None:
    rows, truth = a_table()
    model, asked = fitted(rows, truth), list[int]()

    def scores(copies: pd.DataFrame, count: int) -> Sequence[float]:
        asked.append(count)
        errors = np.split(np.abs(model.predict(copies) - np.tile(truth, count)), count)
        return [-float(each.mean()) for each in errors]

    (whole,) = scores(rows, 1)
    ours = permuted(scores, whole, rows, seed=7)
    theirs = permutation_importance(model, rows, truth, scoring="neg_mean_absolute_error", n_repeats=3, random_state=7)
    assert list(ours.columns) == ["minutes", "noise", "port"]
    np.testing.assert_allclose(ours.mean, theirs.importances_mean)
    np.testing.assert_allclose(ours.deviation, theirs.importances_std)
    assert ours.mean.argmax() == 0
    assert asked == [1, 9]


def test_a_table_of_many_columns_is_sampled_more_thinly() -> None:
    assert sampled(20) == sampled(100) == 2000
    assert 100 < sampled(500) < 1000
    assert sampled(2000) == 100
