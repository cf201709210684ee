"""Requests as they come over HTTP: what MLflow makes of the JSON and the model answers is what the compiled model answers."""

import json
import math
import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.compile.matrix import MATRIX
from tests.compile.tables import CATEGORIES, FLAGS, WHOLE, table, target

from slipway.compile import Compiled, LeftToOriginal, compile_model
from slipway.compile._odd_rows import rows_of
from slipway.compile._verify import same

pytestmark = pytest.mark.slow  # the file, more than each of its tests

NAMES = (
    "usual, logistic",
    "native codes, boosting of three",
    "boosting on the table itself",
    "filled texts, sgd",
    "strict one-hot, ridge",
    "nested columns, ridge classifier",
    "most frequent, minus one",
    "tree with gaps",
)


@pytest.fixture(scope="module")
def schema() -> Any:
    from mlflow.types import ColSpec, DataType, Schema

    def of(name: str) -> ColSpec:
        if name in CATEGORIES:
            return ColSpec(DataType.string, name, required=False)
        if name in FLAGS:
            return ColSpec(DataType.boolean, name)
        return ColSpec(DataType.long, name) if name in WHOLE else ColSpec(DataType.double, name, required=False)

    return Schema([of(name) for name in table()])


@pytest.fixture(scope="module")
def models() -> dict[str, tuple[Any, Compiled]]:
    fitted = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in NAMES:
            task, make = MATRIX[name]
            model = make().fit(table(), target(task))
            fitted[name] = model, compile_model(model)
    return fitted


def cells() -> dict[str, st.SearchStrategy[Any]]:
    known = {name: sorted(set(table()[name].dropna())) for name in CATEGORIES}
    strategies: dict[str, st.SearchStrategy[Any]] = {}
    for name in table():
        if name in CATEGORIES:
            strategies[name] = st.none() | st.sampled_from(known[name]) | st.text(max_size=4)
        elif name in FLAGS:
            strategies[name] = st.booleans()
        elif name in WHOLE:
            strategies[name] = st.integers(-(2**53), 2**53) | st.integers(0, 7)
        else:
            strategies[name] = (
                st.none() | st.floats() | st.integers(-(2**53), 2**53) | st.sampled_from(table()[name].tolist())
            )
    return strategies


def numeric_json(value: Any) -> Any:
    """JSON has no NaN of its own; a gap is null."""
    return None if isinstance(value, float) and math.isnan(value) else value


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("orient", ["records", "split"])
@given(rows=st.lists(st.fixed_dictionaries(cells()), min_size=1, max_size=4))
@pytest.mark.filterwarnings("ignore")
def test_a_request_is_answered_as_mlflow_reads_it(
    models: dict[str, tuple[Any, Compiled]], schema: Any, name: str, orient: str, rows: list[dict[str, Any]]
) -> None:
    from mlflow.models.utils import _enforce_schema
    from mlflow.utils.proto_json_utils import dataframe_from_parsed_json

    model, compiled = models[name]
    records = [{key: numeric_json(value) for key, value in row.items()} for row in rows]
    body = json.loads(json.dumps(records if orient == "records" else _split(records)))
    frame = _enforce_schema(dataframe_from_parsed_json(body, orient, schema), schema)
    scalars = [tuple(record[column] for column in compiled.inputs) for record in records]
    try:
        encoded = compiled.encode(scalars)
        answer = compiled.predict(encoded)
    except LeftToOriginal as left:
        if "overflow" not in left.why:
            with pytest.raises(ValueError, match=r"."):
                model.predict(frame)
        return
    assert same(np.asarray(model.predict(frame)), answer).all(), (answer, model.predict(frame))
    if compiled.has_probabilities:
        np.testing.assert_allclose(compiled.predict_proba(encoded), model.predict_proba(frame), rtol=1e-12, atol=1e-15)


def _split(records: list[dict[str, Any]]) -> dict[str, Any]:
    columns = list(records[0])
    return {"columns": columns, "data": [[record[column] for column in columns] for record in records]}


def test_a_null_among_texts_is_another_category_than_a_null_alone() -> None:
    task, make = MATRIX["usual, logistic"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = make().fit(table(), target(task))
    compiled = compile_model(model)
    row, other = rows_of(pd.concat([table().iloc[:1].assign(line=None), table().iloc[1:2].assign(line="B")]))
    alone, among = compiled.encode([row]), compiled.encode([row, other])[:1]
    assert not np.array_equal(alone, among)
    frame = pd.DataFrame([row, other], columns=list(table()))
    assert compiled.predict_proba(among) == pytest.approx(model.predict_proba(frame)[:1], rel=1e-12)
