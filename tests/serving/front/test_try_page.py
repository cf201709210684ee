"""The page to try a model, as HTML."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.helpers.stand_ins import CLASSES, EXAMPLE, generation

from slipway.colours import COLOURS
from slipway.core.expectations import Expectation
from slipway.reports.board import stylesheet
from slipway.serving.contract import InputColumn, Signature
from slipway.serving.counters.models import Counters
from slipway.serving.front.try_page import TriedAnswer, asset, page, request_of
from slipway.serving.front.try_words import answer_in_words
from slipway.serving.inference.models import ServedModel, prepare

EXPECTED = (
    InputColumn("x", "double", expectation=Expectation(low=0.0, high=50.0)),
    InputColumn("größe", "double", required=False, expectation=Expectation(values=(1.0, 2.0))),
    InputColumn("port", "string", expectation=Expectation(known=("a", 'b"<'))),
)


def served(**changed: object) -> ServedModel:
    return prepare(generation(**changed), Counters(("delays",), 1), 0, 10)


def with_contract() -> ServedModel:
    made = generation()
    signature = Signature(EXPECTED, "string", EXAMPLE, CLASSES, probabilities=True)
    return prepare(type(made)(**{**made.__dict__, "signature": signature}), Counters(("delays",), 1), 0, 10)


def words(html: bytes) -> str:
    return " ".join(re.sub(r"<[^>]*>", " ", html.decode()).split())


@pytest.mark.parametrize(("changed", "says"), [({}, "compiled"), ({"plan": None, "why_not": "no"}, "not compiled: no")])
def test_says_whether_it_is_compiled_apart_from_its_links(changed: dict, says: str) -> None:
    assert f"version 1, Production {says} OpenAPI ready metrics" in words(page(served(**changed), []))


def test_offers_a_slider_where_the_contract_has_bounds_and_choices_where_it_has_values() -> None:
    html = page(with_contract(), []).decode()
    assert re.search(
        r'type="range" hidden data-moves="column_0"[^>]* min="0.0" max="50.0" step="0.1" value="1.5"', html
    )
    assert re.search(
        r'<select name="column_1"[^>]*>\s*<option value="">missing</option>\s*<option>1</option><option>2</option>',
        html,
    )
    assert "<option>b&#34;&lt;</option>" in html and 'list="column_2_known"' in html
    assert "number, 0 to 50" in html and "number, may be missing" in html
    assert html.count('type="range"') == 1


def test_a_value_that_the_contract_does_not_expect_stays_and_is_told_with_the_answer() -> None:
    model = with_contract()
    form = {"column_0": "60", "column_1": "7", "column_2": "c"}
    sent = request_of(model.generation.signature, form)
    answers = json.dumps({"predictions": ["late"]}).encode(), json.dumps({"predictions": [[0.4, 0.6]]}).encode()
    html = page(model, [], form, TriedAnswer(sent, 200, *answers), b"10.0.0.7:5001")
    said = words(html)
    assert "The model answers “late” with a probability of 60.0%; next is “früh” at 40.0%." in said
    assert "x is 60; the contract expects 0 to 50." in said
    assert "größe is 7, which the model has never seen." in said and "port is &#34;c&#34;, which" in said
    assert "<option selected>7</option>" in html.decode()
    assert "http://10.0.0.7:5001/models/delays/invocations" in said


def test_a_host_that_is_none_is_not_repeated() -> None:
    model = served()
    sent = request_of(model.generation.signature, {"column_0": "1"})
    html = page(model, [], {}, TriedAnswer(sent, 400, b'{"message": "no"}'), b"evil'; rm")
    assert b"evil" not in html and b"http://HOST:PORT/" in html and "Refused (400) no" in words(html)


@given(st.lists(st.floats(0, 1), min_size=2, max_size=5), st.data())
def test_the_words_name_the_answer_and_its_own_probability(probabilities: list[float], data: st.DataObject) -> None:
    labels = [f"class {at}" for at in range(len(probabilities))]
    answer = data.draw(st.sampled_from(labels))
    said = answer_in_words(answer, list(zip(labels, probabilities, strict=True)))
    assert said.startswith(f"The model answers “{answer}” with a probability of ")
    most = max(probabilities)
    assert ("threshold" in said) == (probabilities[labels.index(answer)] < most)


def test_a_number_is_told_as_one() -> None:
    assert answer_in_words(1234.5678, []) == "The model expects 1,234.57."


def test_it_looks_like_the_board() -> None:
    assert asset("style.css").decode().startswith(COLOURS) and stylesheet().startswith(COLOURS)
    for rules in (asset("style.css").decode(), stylesheet()):
        assert rules.count("--paper: #f6f8fa") == 1
