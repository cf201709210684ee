"""What Slipway itself makes compiles, as it is fitted and as it comes out of storage: its preprocessing, its thresholds."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.base import BaseEstimator
from sklearn.ensemble import (
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
)
from sklearn.linear_model import LogisticRegression, Ridge, SGDClassifier
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier
from tests.compile.tables import table, target

from slipway.compile import compile_model, verify
from slipway.core.spec import Data, Experiment
from slipway.search.candidates import decided
from slipway.search.preprocessing import with_preprocessing

pytestmark = pytest.mark.slow  # the file, more than each of its tests


@pytest.fixture
def experiment(declare: Callable[..., Experiment]) -> Experiment:
    kinds = dict.fromkeys(table(), "float") | dict.fromkeys(["day", "count"], "int") | {"late": "bool"}
    kinds |= dict.fromkeys(["port", "line", "tail"], "category")
    columns = {
        name: {"type": kind, "nulls": name in ("g0", "g1", "line"), "known": "before"} for name, kind in kinds.items()
    }
    data = {"source": {"csv": "rows.csv"}, "target": "target", "columns": {**columns, "target": {"type": "int"}}}
    return declare(data=data)


ESTIMATORS = {
    "hist": HistGradientBoostingClassifier(max_iter=10),
    "hist regressor": HistGradientBoostingRegressor(max_iter=10, loss="poisson"),
    "boosting": GradientBoostingClassifier(n_estimators=10),
    "forest": RandomForestClassifier(10),
    "extra": ExtraTreesClassifier(10),
    "tree": DecisionTreeClassifier(max_depth=5),
    "logistic": LogisticRegression(max_iter=500),
    "sgd": SGDClassifier(),
    "svc": LinearSVC(),
    "ridge": Ridge(),
}


def stored(model: Any) -> Any:
    """The model as it comes out of the registry."""
    held = skops.io.dumps(model)
    return skops.io.loads(held, trusted=skops.io.get_untrusted_types(data=held))


@pytest.mark.parametrize(
    ("name", "threshold"),
    [(name, None) for name in ESTIMATORS]
    + [(name, 0.3) for name in ESTIMATORS if hasattr(ESTIMATORS[name], "predict_proba")],
)
def test_slipways_own_preprocessing_compiles_and_agrees(
    experiment: Experiment, name: str, threshold: float | None
) -> None:
    estimator: BaseEstimator = ESTIMATORS[name]
    pipeline = with_preprocessing(estimator, experiment.data)
    y = target("regression" if name == "ridge" else "counts" if name == "hist regressor" else "binary")
    model = decided(pipeline, threshold, 1).fit(table()[list(experiment.data.features)], y)
    example = table()[list(experiment.data.features)].iloc[:30]
    for each in (model, stored(model)):
        compiled = compile_model(each)
        agreement = verify(each, compiled, example)
        assert agreement.equal, agreement.problems
        assert compiled.inputs == experiment.data.features
    np.testing.assert_array_equal(
        compiled.predict(compiled.encode_frame(table())), model.predict(table()[list(example)])
    )


def test_a_category_that_was_never_missing_and_is(experiment: Experiment) -> None:
    model = with_preprocessing(HistGradientBoostingClassifier(max_iter=5), experiment.data)
    features = table()[list(experiment.data.features)]
    model.fit(features, target("binary"))
    compiled = compile_model(model)
    gaps = features.iloc[:50].assign(port=pd.Series([None] * 50, dtype="str"))
    np.testing.assert_array_equal(compiled.predict_proba(compiled.encode_frame(gaps)), model.predict_proba(gaps))


TASKS = [("hist", "three"), ("logistic", "yes_no"), ("boosting", "binary"), ("ridge", "regression")]


@pytest.mark.parametrize(("name", "task"), TASKS)
def test_texts_and_many_categories_compile_and_agree(experiment: Experiment, name: str, task: str) -> None:
    spec = experiment.data.model_dump(by_alias=True)
    data = Data.model_validate({**spec, "columns": {**spec["columns"], "remark": {"type": "text", "nulls": 0.5}}})
    words = table()["port"] + " 🚢 Fog over " + table()["line"].fillna("the Straße") + table()["day"].astype("str")
    rows = table().assign(tail=[f"N{i % 90}" for i in range(800)], remark=words.mask(table()["late"]))
    features = list(data.features)
    model = with_preprocessing(ESTIMATORS[name], data, rows).fit(rows[features], target(task))
    assert "many categories" in model[0].named_transformers_
    for each in (model, stored(model)):
        compiled = compile_model(each)
        agreement = verify(each, compiled, rows[features].head(30))
        assert agreement.equal, agreement.problems
    np.testing.assert_array_equal(compiled.predict(compiled.encode_frame(rows)), model.predict(rows[features]))
