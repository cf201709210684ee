"""Every pipeline of the matrix answers compiled as it does itself, on 10,000 odd rows; or it leaves a row to it."""

import warnings
from typing import Any

import numpy as np
import pytest
from tests.compile.matrix import MATRIX
from tests.compile.tables import odd, table, target

from slipway.compile import Compiled, LeftToOriginal, compile_model
from slipway.compile._odd_rows import rows_of
from slipway.compile._verify import same
from slipway.plans import opened, stored

pytestmark = pytest.mark.slow  # the file, more than each of its tests

FITTED: dict[str, tuple[Any, Compiled]] = {}


def fitted(name: str) -> tuple[Any, Compiled]:
    if name not in FITTED:
        task, make = MATRIX[name]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of convergence: any coefficients will do
            model = make().fit(table(), target(task))
        FITTED[name] = model, compile_model(model)
    return FITTED[name]


@pytest.mark.parametrize("name", MATRIX)
@pytest.mark.filterwarnings(
    "ignore"
)  # the models warn of overflows and unknown categories, which are what is tried here
def test_a_compiled_pipeline_answers_what_the_pipeline_answers(name: str) -> None:
    model, compiled = fitted(name)
    frame = odd()
    encoded = compiled.encode_frame(frame)
    answered = np.flatnonzero(~compiled.refused(encoded))[:10_000]
    assert len(answered) == 10_000
    kept, encoded = frame.iloc[answered], encoded[answered]
    predicted = compiled.predict(encoded)
    wanted = np.asarray(model.predict(kept))
    assert predicted.dtype == wanted.dtype
    assert predicted.shape == wanted.shape
    wrong = ~same(wanted, predicted)
    assert not wrong.any(), (predicted[wrong][:3], wanted[wrong][:3], kept[wrong].iloc[:3].to_dict("records"))
    if not hasattr(model, "predict_proba"):
        assert not compiled.has_probabilities
        return
    probabilities, wanted = compiled.predict_proba(encoded), model.predict_proba(kept)
    np.testing.assert_allclose(probabilities, wanted, rtol=1e-12, atol=1e-15)
    assert compiled.classes == tuple(model.classes_.tolist())


@pytest.mark.parametrize("name", MATRIX)
def test_a_plan_is_the_same_written_down_and_opened(name: str) -> None:
    model, compiled = fitted(name)
    content = stored(compiled)
    again = opened(content)
    assert stored(again) == stored(compile_model(model)) == content
    encoded = compiled.encode_frame(odd().iloc[:2000])
    np.testing.assert_array_equal(again.encode_frame(odd().iloc[:2000]), encoded)
    encoded = encoded[~compiled.refused(encoded)]
    for answer in ["predict", *["predict_proba"] * compiled.has_probabilities]:
        got, wanted = getattr(again, answer)(encoded), getattr(compiled, answer)(encoded)
        assert got.dtype == wanted.dtype
        np.testing.assert_array_equal(got, wanted)


@pytest.mark.parametrize("name", MATRIX)
@pytest.mark.filterwarnings("ignore")
def test_a_row_is_left_to_the_original_because_it_raises(name: str) -> None:
    model, compiled = fitted(name)
    frame = odd()
    encoded = compiled.encode_frame(frame)
    for row in np.flatnonzero(compiled.refused(encoded))[:12]:
        with pytest.raises(LeftToOriginal) as refusal:
            compiled.predict(encoded[row : row + 1])
        assert refusal.value.row == 0
        if "square" not in str(refusal.value) and "overflow" not in str(refusal.value):
            with pytest.raises(ValueError, match=r"."):
                model.predict(frame.iloc[[row]])


@pytest.mark.parametrize("name", MATRIX)
def test_rows_are_encoded_as_the_same_rows_in_a_frame(name: str) -> None:
    _, compiled = fitted(name)
    frame = odd().iloc[:1000]
    encoded = compiled.encode_frame(frame)
    rows = rows_of(frame)
    np.testing.assert_array_equal(compiled.encode(rows), encoded)
    with_gaps = frame[frame[["line", "port", "tail"]].notna().all(axis=1)]
    for row in with_gaps.index[:20]:
        np.testing.assert_array_equal(compiled.encode(rows[row : row + 1]), encoded[row : row + 1])
