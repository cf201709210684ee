"""`verify` agrees with a right plan and finds what is wrong with a wrong one."""

import warnings
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder
from tests.compile.pipelines import boosted, native, usual
from tests.compile.tables import table, target

from slipway.compile import compile_model, verify
from slipway.plans.columns import RowEncoder
from slipway.plans.program import Operations


@pytest.fixture(scope="module")
def logistic() -> Any:
    return usual(LogisticRegression(max_iter=300)).fit(table(), target("binary"))


@pytest.fixture(scope="module")
def boosting() -> Any:
    return native(boosted()).fit(table(), target("yes_no"))


def example() -> Any:
    return table().iloc[:40]


def test_a_right_plan_agrees(logistic: Any, boosting: Any) -> None:
    for model in (logistic, boosting):
        agreement = verify(model, compile_model(model), example())
        assert agreement.equal, agreement.problems
        assert agreement.compared > 200
    assert verify(logistic, compile_model(logistic), example()).left > 0


def test_an_example_whose_texts_are_all_null_is_compared_as_requests_are_read() -> None:
    rows = table().assign(port=None)
    rows.loc[::2, "port"] = "sea"
    texts = make_column_transformer((OneHotEncoder(handle_unknown="ignore"), ["port"]))
    for missing in (None, np.nan):  # a model has learned one of the two
        rows["port"] = rows["port"].astype(object).where(rows["port"].notna(), missing)
        model = make_pipeline(texts, LogisticRegression()).fit(rows[["port"]], target("binary"))
        agreement = verify(model, compile_model(model), pd.DataFrame({"port": [None] * 5}, dtype=object))
        assert agreement.equal, agreement.problems


def test_a_row_in_which_several_texts_are_null_is_compared_as_a_request_of_it_is_read() -> None:
    ports = pd.Series(["sea", None, "air", "sea"] * 10, dtype="str")
    rows = pd.DataFrame({"port": ports, "by": ports.iloc[::-1].reset_index(drop=True)})
    codes = make_column_transformer(
        (OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan), ["port", "by"])
    )
    model = make_pipeline(codes, boosted()).fit(rows, np.arange(40) % 2)
    example = pd.DataFrame({"port": [None, "sea"], "by": [None, "air"]}, dtype="str")
    agreement = verify(model, compile_model(model), example)
    assert agreement.equal, agreement.problems


def test_it_is_the_same_each_time(boosting: Any) -> None:
    compiled = compile_model(boosting)
    assert verify(boosting, compiled, example(), seed=3) == verify(boosting, compiled, example(), seed=3)


def test_a_planted_number_is_found(logistic: Any) -> None:
    compiled = compile_model(logistic)
    constants = compiled.program.constants
    constants[np.flatnonzero((constants > 1.5) & (constants < 1e6))[-1]] *= 1 + 1e-9
    agreement = verify(logistic, compiled, example())
    assert not agreement.equal
    assert "predict_proba is" in agreement.problems[0]
    assert "and the model's" in agreement.problems[0]


def test_a_planted_operation_is_found(boosting: Any) -> None:
    compiled = compile_model(boosting)
    (operations,) = (stage for stage in compiled.program.stages if isinstance(stage, Operations))
    loads = np.flatnonzero(operations.table[:, 0] == 0)
    operations.table[loads[[0, 1]], 3] = operations.table[loads[[1, 0]], 3]
    assert not verify(boosting, compiled, example()).equal


def test_planted_tree_values_are_found(boosting: Any) -> None:
    compiled = compile_model(boosting)
    compiled.head.predict_proba.answer.walk.nodes[:, 0] += 1e-7
    assert not verify(boosting, compiled, example()).equal


def test_a_mistaken_code_for_missing_texts_is_found(logistic: Any) -> None:
    compiled = compile_model(logistic)
    texts = tuple(replace(text, nan=0.0) for text in compiled.encoder.text_columns)
    encoder = RowEncoder(compiled.inputs, compiled.encoder.numbers, texts)
    assert not verify(logistic, replace(compiled, encoder=encoder), example()).equal


def test_a_plan_that_answers_what_its_model_refuses_is_found(logistic: Any) -> None:
    compiled = compile_model(logistic)
    stages = tuple(Operations(stage.table[stage.table[:, 0] < 18]) for stage in compiled.program.stages)
    careless = replace(compiled, program=replace(compiled.program, stages=stages))
    assert any("refuses" in problem for problem in verify(logistic, careless, example()).problems)


def test_a_plan_of_another_model_is_found(logistic: Any, boosting: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        other = usual(Ridge()).fit(table(), target("regression"))
    compiled = compile_model(other)
    assert verify(other, compiled, example()).equal
    assert not verify(logistic, compiled, example()).equal


def test_nothing_to_compare_is_no_agreement(logistic: Any) -> None:
    assert not verify(logistic, compile_model(logistic), example().iloc[:0]).equal


def test_a_column_of_texts_that_is_called_self_is_compared_too() -> None:
    frame = pd.DataFrame({"self": pd.Series(["x", "y"] * 20, dtype=object), "n": np.arange(40.0)})
    encode = make_column_transformer((OneHotEncoder(handle_unknown="ignore"), ["self"]), remainder="passthrough")
    model = make_pipeline(encode, Ridge()).fit(frame, frame["n"])
    assert verify(model, compile_model(model), frame.head(5)).equal
