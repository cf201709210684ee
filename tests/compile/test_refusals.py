"""What is not compiled is named; what a plan cannot answer is left to the original."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import GradientBoostingClassifier, HistGradientBoostingClassifier, VotingClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    OneHotEncoder,
    PowerTransformer,
    QuantileTransformer,
    SplineTransformer,
    StandardScaler,
)
from tests.compile.pipelines import only, usual
from tests.compile.tables import FLOATS, POSITIVE, TEXTS, table, target

from slipway.compile import Compiled, LeftToOriginal, NotCompilable, compile_model, verify
from slipway.compile._odd_rows import rows_of
from slipway.errors import OutsideError


class OwnScaler(StandardScaler):
    pass


def double(values: Any) -> Any:
    return 2 * values


@pytest.mark.parametrize(
    ("model", "says"),
    [
        (lambda: usual(KNeighborsClassifier()), r"'kneighborsclassifier' .*KNeighborsClassifier"),
        (lambda: usual(GaussianNB()), "GaussianNB"),
        (lambda: usual(VotingClassifier([("a", GaussianNB()), ("b", LogisticRegression())])), "voting='hard'"),
        (lambda: only(PowerTransformer(), FLOATS, LogisticRegression()), "'powertransformer'.*PowerTransformer"),
        (lambda: only(QuantileTransformer(n_quantiles=20), FLOATS, LogisticRegression()), "QuantileTransformer"),
        (lambda: only(SplineTransformer(), FLOATS, LogisticRegression()), "SplineTransformer"),
        (lambda: only(OwnScaler(), FLOATS, LogisticRegression()), "OwnScaler"),
        (lambda: only(FunctionTransformer(double), FLOATS, LogisticRegression()), "FunctionTransformer of double"),
        (
            lambda: only(FunctionTransformer(np.log1p, kw_args={"dtype": None}), POSITIVE, LogisticRegression()),
            "arguments",
        ),
        (lambda: only(OneHotEncoder(dtype=np.float32), TEXTS, LogisticRegression()), "float32"),
        (lambda: usual(DummyClassifier(strategy="stratified")), "at random"),
        (
            lambda: usual(GradientBoostingClassifier(init=LogisticRegression(), n_estimators=3)),
            "init=LogisticRegression",
        ),
    ],
)
def test_a_step_without_a_plan_is_named(model: Any, says: str) -> None:
    with pytest.raises(NotCompilable, match=says):
        compile_model(model().fit(table(), target("binary")))


def test_a_model_that_is_not_fitted_or_has_no_columns_is_refused() -> None:
    with pytest.raises(NotCompilable, match="not fitted"):
        compile_model(usual(LogisticRegression()))
    with pytest.raises(NotCompilable, match="named columns"):
        compile_model(LinearRegression().fit(np.zeros((3, 2)), np.zeros(3)))
    with pytest.raises(OutsideError, match="more than one output"):
        compile_model(only("passthrough", FLOATS, LinearRegression()).fit(table(), table()[FLOATS]))


@pytest.fixture(scope="module")
def strict() -> tuple[Any, Compiled]:
    columns = make_column_transformer(
        (OneHotEncoder(), ["port"]), (StandardScaler(), FLOATS), ("passthrough", ["late"])
    )
    model = make_pipeline(columns, LogisticRegression()).fit(table()[["port", *FLOATS, "late"]], target("binary"))
    return model, compile_model(model)


GOOD = ("JFK", 1.5, 2, True)


@pytest.mark.parametrize(
    ("row", "says"),
    [
        (("JFK", "1.5", 2, True), "column 'x0' holds a str where a number is read"),
        (("JFK", [1.5], 2, True), "column 'x0' holds a list"),
        (("JFK", 1.5, 2**60, True), "column 'x1' holds a whole number beyond 2\\^53"),
        (("JFK", 1.5, 10**400, True), "column 'x1' holds a whole number beyond"),
        ((7, 1.5, 2, True), "column 'port' holds a int in a column of texts"),
        ((True, 1.5, 2, True), "column 'port' holds a bool in a column of texts"),
        (({}, 1.5, 2, True), "column 'port'"),
    ],
)
def test_a_value_of_another_type_is_left_to_the_original(strict: tuple[Any, Compiled], row: Any, says: str) -> None:
    with pytest.raises(LeftToOriginal, match=f"row 0: {says}"):
        strict[1].encode([row])
    with pytest.raises(LeftToOriginal, match=f"row 2: {says}"):
        strict[1].encode([GOOD, GOOD, row])


@pytest.mark.parametrize(
    ("row", "says"),
    [
        (("XXX", 1.5, 2, True), "'columntransformer' → 'onehotencoder': an unknown category"),
        (("JFK", float("inf"), 2, True), "'columntransformer' → 'standardscaler': an infinite value"),
        (("JFK", None, 2, True), "'logisticregression': a value that is missing, infinite"),
    ],
)
def test_what_the_model_refuses_is_left_to_it_by_row_and_step(
    strict: tuple[Any, Compiled], row: Any, says: str
) -> None:
    model, compiled = strict
    with pytest.raises(LeftToOriginal, match=says) as refusal:
        compiled.predict(compiled.encode([GOOD, row]))
    assert refusal.value.row == 1
    with pytest.raises(ValueError, match=r"."):
        model.predict(pd.DataFrame([GOOD, row], columns=list(compiled.inputs)))


def test_the_row_is_counted_over_blocks(strict: tuple[Any, Compiled]) -> None:
    rows = [GOOD] * 5000
    rows[4321] = ("XXX", *GOOD[1:])
    with pytest.raises(LeftToOriginal, match="row 4321"):
        strict[1].predict(strict[1].encode(rows))


def test_a_frame_of_other_types_is_left_to_the_original(strict: tuple[Any, Compiled]) -> None:
    frame = pd.DataFrame([GOOD] * 3, columns=list(strict[1].inputs))
    assert strict[1].encode_frame(frame).shape == (3, strict[1].width)
    for column, kind, says in [
        ("x0", "float32", "type float32 where numbers are read"),
        ("x0", object, "type object where numbers are read"),
        ("x1", "Int64", "type Int64"),
        ("late", "str", "type str where numbers are read"),
    ]:
        with pytest.raises(LeftToOriginal, match=says):
            strict[1].encode_frame(frame.astype({column: kind}))
    with pytest.raises(LeftToOriginal, match="type int64 where texts are read"):
        strict[1].encode_frame(frame.assign(port=1))
    with pytest.raises(LeftToOriginal, match="row 1: column 'port' holds a int"):
        strict[1].encode_frame(frame.assign(port=pd.Series(["JFK", 1, "JFK"], dtype=object)))
    with pytest.raises(LeftToOriginal, match="row 2: column 'x1' holds a whole number beyond"):
        strict[1].encode_frame(frame.assign(x1=[1, 2, 2**54]))


def test_texts_may_be_categories_or_objects(strict: tuple[Any, Compiled]) -> None:
    model, compiled = strict
    frame = table()[list(compiled.inputs)]
    encoded = compiled.encode_frame(frame)
    for kind in (object, "category", "string"):
        np.testing.assert_array_equal(compiled.encode_frame(frame.astype({"port": kind})), encoded)
    shuffled = frame[["late", "x1", "port", "x0"]].assign(unused=1)
    np.testing.assert_array_equal(compiled.encode_frame(shuffled), encoded)
    np.testing.assert_array_equal(compiled.predict(encoded), model.predict(frame))


def test_a_model_without_probabilities_has_none() -> None:
    compiled = compile_model(only("passthrough", FLOATS, LinearRegression()).fit(table(), target("regression")))
    assert compiled.classes is None
    assert not compiled.has_probabilities
    with pytest.raises(AttributeError, match="no predict_proba"):
        compiled.predict_proba(compiled.encode_frame(table()))


def test_truth_values_are_no_numbers_to_functions() -> None:
    compiled = compile_model(
        only(FunctionTransformer(np.exp), FLOATS, LinearRegression()).fit(table(), target("regression"))
    )
    (row,) = rows_of(table().iloc[:1])
    compiled.encode([row])
    with pytest.raises(LeftToOriginal, match="truth value where a function"):
        compiled.encode([tuple(True if name == "x0" else value for name, value in zip(table(), row, strict=True))])


def test_no_rows_are_answered_with_nothing(strict: tuple[Any, Compiled]) -> None:
    assert strict[1].predict(strict[1].encode([])).shape == (0,)
    assert strict[1].predict_proba(strict[1].encode_frame(table().iloc[:0])).shape == (0, 2)


def test_categories_by_the_type_of_the_column() -> None:
    frame = table()[["port", "x0"]].astype({"port": "category"})
    model = HistGradientBoostingClassifier(max_iter=5, categorical_features="from_dtype").fit(frame, target("binary"))
    compiled = compile_model(model)
    wanted = model.predict_proba(frame)
    np.testing.assert_array_equal(compiled.predict_proba(compiled.encode_frame(frame)), wanted)
    np.testing.assert_array_equal(compiled.predict_proba(compiled.encode(rows_of(frame))), wanted)
    assert verify(model, compiled, frame.iloc[:40]).equal
