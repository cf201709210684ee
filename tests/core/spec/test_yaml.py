import copy
import math
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from slipway.core.spec import Experiment
from slipway.core.spec._yaml import MAX_CHARACTERS, read_experiment
from slipway.errors import SpecInvalid
from slipway.types import Problem

VALID = """\
name: ferries
scope: {goal: Say which ferries are late., owner: us@example.com, decision: Call in staff., maturity: mvp}
task: binary
data:
  source: {csv: ferries.csv}
  target: late
  time: leaves
  columns:
    late: {type: int, values: [0, 1]}
    leaves: {type: datetime, min: 2013-01-01}
    wind: {type: float, nulls: 0.1, min: 0, max: 100}
    port: {type: category, values: [A, B]}  # where from
split: {method: time, validation_from: 2013-05-01, test_from: 2013-06-01}
search:
  metric: roc_auc
  candidates:
    forest:
      estimator: sklearn.ensemble.RandomForestClassifier
      params: {n_estimators: 10, bootstrap: true}
      space:
        max_depth: {int: [2, 9]}
        criterion: {choice: [gini, entropy]}
    logistic:
      estimator: sklearn.linear_model.LogisticRegression
      space: {C: {log_uniform: [0.01, 1]}}
gates: {thresholds: {roc_auc: 0.6}, beats_baseline: {margin: 0.01}}
sla: {p99_ms: 100}
monitor: {metric: roc_auc, floor: 0.55}
"""


def problems(text: str) -> tuple[Problem, ...]:
    with pytest.raises(SpecInvalid) as raised:
        read_experiment(text, "folder/experiment.yaml")
    return raised.value.problems


def problem(text: str) -> Problem:
    (only,) = problems(text)
    return only


def with_line(old: str, new: str) -> tuple[str, int]:
    """The valid text with a piece replaced, and the line on which it stands."""
    assert VALID.count(old) == 1
    return VALID.replace(old, new), VALID[: VALID.index(old)].count("\n") + 1


def accepted_or_placed(text: str) -> None:
    """Read a text: it is an experiment with a digest, or every problem has a message and a line of the text."""
    try:
        experiment = read_experiment(text)
    except SpecInvalid as error:
        lines = max(1, len(text.splitlines()) + text.endswith("\n"))
        assert error.problems
        assert all(1 <= p.line <= lines and p.message for p in error.problems)
        assert str(error).startswith(f"{len(error.problems)} problem(s) in experiment.yaml:")
    else:
        assert len(experiment.digest) == 64


def test_a_valid_file_is_read_with_its_values() -> None:
    experiment = read_experiment(VALID)
    assert isinstance(experiment, Experiment)
    assert (experiment.name, experiment.data.features) == ("ferries", ("wind", "port"))
    assert experiment.search.candidates["forest"].params == {"n_estimators": 10, "bootstrap": True}


@pytest.mark.parametrize(
    ("old", "new", "key", "said"),
    [
        ("task: binary", "taks: binary", "taks", "unknown key 'taks'; did you mean 'task'?"),
        ("  target: late", "  targte: late", "data.targte", "did you mean 'target'"),
        ("wind: {type", "wind: {tpye", "data.columns.wind.tpye", "did you mean 'type'"),
        ("{margin: 0.01}", "{magin: 0.01}", "gates.beats_baseline.magin", "did you mean 'margin'"),
        ("task: binary", "task: bianry", "task", "found 'bianry'; did you mean 'binary'? There is: binary, multiclass"),
        ("type: float", "type: flaot", "data.columns.wind.type", "did you mean 'float'"),
        ("method: time", "method: tiem", "split", "found method 'tiem'; did you mean 'time'"),
        ("{int: [2, 9]}", "{itn: [2, 9]}", "search.candidates.forest.space.max_depth", "did you mean 'int'"),
        ("{int: [2, 9]}", "5", "search.candidates.forest.space.max_depth", "exactly one distribution"),
        ("{int: [2, 9]}", "{int: [9, 2]}", "search.candidates.forest.space.max_depth.int", "needs its low end below"),
        ("metric: roc_auc\n", "metric: roc_ac\n", "search.metric", "did you mean 'roc_auc'"),
        ("nulls: 0.1", "nulls: many", "data.columns.wind.nulls", "found 'many'"),
        ("min: 0,", "min: 200,", "data.columns.wind.min", "min 200.0 is above max 100.0"),
        ("name: ferries", "name: 2 ferries", "name", "allowed is a name: a letter, then"),
        ("owner: us@example.com, ", "", "scope.owner", "maturity mvp needs an owner"),
        ("p99_ms: 100", "p99_ms: .nan", "sla.p99_ms", "finite number"),
        ("max: 100", "max: .inf", "data.columns.wind.max", "finite number"),
        ("p99_ms: 100", "p99_ms: fast", "sla.p99_ms", "found 'fast'"),
        ("values: [A, B]", "values: A", "data.columns.port.values", "found 'A'; allowed is a list, as in [a, b]"),
        ("csv: ferries.csv", "csv: [ferries.csv]", "data.source.csv", "found ['ferries.csv']; allowed is a text"),
        (
            "port: {type: category, values: [A, B]}",
            "port: category",
            "data.columns.port",
            "allowed is a mapping of keys",
        ),
        ("port: {type: category, values: [A, B]}", "port:", "data.columns.port", "found nothing; allowed is a mapping"),
        ("values: [A, B]", "values: []", "data.columns.port.values", "allowed is 1 or more; there are 0"),
        ("nulls: 0.1", "nulls: 1.5", "data.columns.wind.nulls", "found 1.5; allowed is 1 or less"),
        ("p99_ms: 100", "p99_ms: 0", "sla.p99_ms", "found 0; allowed is more than 0"),
        ("csv: ferries.csv", "csv: ''", "data.source.csv", "allowed is a text of 1 character(s) or more"),
        ("{int: [2, 9]}", "{int: [2.5, 9]}", "search.candidates.forest.space.max_depth.int.0", "a whole number"),
        ("test_from: 2013-06-01", "test_from: June", "split.test_from", "allowed is a day or a time, as in 2013-01-31"),
        ("max: 100", "max: [1]", "data.columns.wind.max", "found [1]; allowed is a number"),
        ("target: late", "target: lat", "data.target", "did you mean 'late'"),
    ],
)
def test_a_mistake_is_told_with_its_line_its_key_and_what_is_allowed(old: str, new: str, key: str, said: str) -> None:
    text, line = with_line(old, new)
    told = {p.key: p for p in problems(text)}
    assert key in told
    assert said in told[key].message
    assert told[key].line == line


def test_no_message_is_in_the_dialect_of_a_library() -> None:
    told = []
    for text in _mutilated():
        try:
            read_experiment(text)
        except SpecInvalid as error:
            told += [problem.message for problem in error.problems]
    assert len(told) > 50
    words = ("Input", "input", "instance", "dictionary", "should", "valid list", "parse", "pydantic")
    assert [message for message in told if any(word in message for word in words)] == []


def _mutilated() -> Iterator[str]:
    """The valid text with each of its values in turn replaced by what does not belong there."""
    for i, line in enumerate(lines := VALID.splitlines()):
        key, _, value = line.partition(": ")
        for other in ("[[]]", "{a: {b: c}}", "-1.5"):
            if value and not key.strip().startswith(("-", "name")):
                yield "\n".join([*lines[:i], f"{key}: {other}", *lines[i + 1 :]])


def test_every_mistake_of_a_file_is_told_at_once() -> None:
    text = VALID.replace("task: binary", "task: bianry").replace("nulls: 0.1", "nulls: 7").replace("sla:", "sal:")
    assert {p.key for p in problems(text)} >= {"task", "data.columns.wind.nulls", "sal"}


def test_a_key_that_is_missing_is_told_at_the_section_it_belongs_to() -> None:
    text, line = with_line("late: {type: int, values: [0, 1]}", "late: {values: [0, 1]}")
    assert problem(text) == Problem(line, "data.columns.late.type", "this key is required and is not there")


def test_the_message_names_the_file_with_the_line_as_editors_understand_it() -> None:
    with pytest.raises(SpecInvalid, match=r"folder/experiment\.yaml:3: task: found 'x'"):
        read_experiment(VALID.replace("task: binary", "task: x"), "folder/experiment.yaml")


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("", 1, "has to be a mapping"),
        ("- a\n- b", 1, "has to be a mapping"),
        ("a: 1\nb: [", 2, "not YAML"),
        ("a: 1\nb: 'x", 2, "not YAML"),
        ("a: 1\na: 2", 2, 'duplicate key "a"'),
        ("a: 1\n---\nb: 2", 2, "another document"),
        ("a: *nobody", 1, "undefined alias"),
        ("a: \x00", 1, "special characters are not allowed"),
        ("\ud800", 1, "special characters are not allowed"),
        ("a: 1\nb: !!python/object/apply:os.system [ls]", 2, "has no place here"),
        ("a: 1\nb: !!binary aGk=", 2, "has no place here"),
        ("a: 1\nb: !!set {x}", 2, "has no place here"),
        ("a: 1\n? [x, y]\n: 2", 2, "a key has to be a word"),
        ("a: 1\nb: 0x" + "f" * 5000, 2, "a number of 5002 digits"),
        ("a: 1\nb: !!int ''", None, "not YAML"),
        ("a: 1\nb: !!bool maybe", None, "not YAML"),
        ("a: 1\nb: 2013-13-45", None, "not YAML"),
        ("&a [*a]", 1, "nested too deeply"),
        ("a: &a {b: *a}", 1, "nested too deeply"),
        ("- " * 3000 + "x", 1, "nested too deeply"),
        ("a: " + "{a: " * 2000 + "1" + "}" * 2000, 1, "nested too deeply"),
        ("x" * (MAX_CHARACTERS + 1), 1, "1000000 are allowed"),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_text_that_is_hostile_or_no_yaml_is_one_problem_at_its_line(text: str, line: int | None, said: str) -> None:
    told = problem(text)
    assert said in told.message
    assert line is None or told.line == line


def test_aliases_that_multiply_without_bound_are_refused_before_they_are_followed() -> None:
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
    bomb += "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 12))
    assert "more than 20000 values" in problem(bomb).message


def test_aliases_and_merges_that_stay_small_are_read_as_what_they_stand_for() -> None:
    text = VALID.replace("wind: {type: float,", "wind: &wind {type: float,").replace(
        "    port:", "    gust: {<<: *wind, max: 200}\n    port:"
    )
    columns = read_experiment(text).data.columns
    assert (columns["gust"].max, columns["gust"].nulls) == (200, columns["wind"].nulls)


def places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if at:
        yield at
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, below in inner:
        yield from places(below, (*at, key))


TREE = yaml.safe_load(VALID)
PLACES = sorted(places(TREE), key=repr)
odd = st.one_of(
    st.sampled_from(
        [None, True, 0, -1, 1.5, math.nan, math.inf, -math.inf, 10**90, "", "x", "\0", "\ud83d\ude00", "{", "a:b", [], {}, [[]],
         [None], {"a": 1}, {1: 2}, {None: 1}, {"uniform": [0, 1]}, {"int": [1, 0]}, {"choice": []}, date(2013, 1, 1),
         "2013-01-01", "9999-12-31T23:59:59-23:00", {"method": "time"}, "time", "late", "wind", "features:load"]
    ),
    st.text(max_size=8),
    st.recursive(st.integers() | st.booleans() | st.floats(), lambda inner: st.lists(inner, max_size=3), max_leaves=6),
)  # fmt: skip


@given(at=st.sampled_from(PLACES), value=odd)
def test_a_valid_file_with_any_value_put_anywhere_is_accepted_or_refused_with_a_line(at: tuple, value: Any) -> None:
    tree = copy.deepcopy(TREE)
    inside = tree
    for key in at[:-1]:
        inside = inside[key]
    inside[at[-1]] = value
    accepted_or_placed(yaml.safe_dump(tree, sort_keys=False, allow_unicode=True))


@given(
    at=st.sampled_from([place for place in PLACES if isinstance(place[-1], str)]),
    key=odd.filter(lambda v: not isinstance(v, list | dict)),
)
def test_a_valid_file_with_any_key_renamed_is_accepted_or_refused_with_a_line(at: tuple, key: Any) -> None:
    tree = copy.deepcopy(TREE)
    inside = tree
    for step in at[:-1]:
        inside = inside[step]
    inside[key] = inside.pop(at[-1])
    accepted_or_placed(yaml.safe_dump(tree, sort_keys=False, allow_unicode=True))


@given(
    start=st.integers(0, len(VALID)),
    length=st.integers(0, 12),
    put=st.one_of(st.text("{}[]:,&*!|>'\"%@`#-? \n\t0aé~<=\\", max_size=6), st.text(max_size=3)),
)
@example(start=0, length=len(VALID), put="!!null")
@example(start=0, length=0, put="%YAML 1.1\n---\n")
@example(start=0, length=0, put="\ufeff")
def test_a_valid_file_with_any_piece_of_text_changed_is_accepted_or_refused_with_a_line(
    start: int, length: int, put: str
) -> None:
    accepted_or_placed(VALID[:start] + put + VALID[start + length :])


@given(st.one_of(st.text(max_size=60), st.text("{}[]:,&*!|>'\"%@`#-? \n\t0a~<=", max_size=40)))
def test_any_text_is_accepted_or_refused_with_a_line(text: str) -> None:
    accepted_or_placed(text)


def test_line_ends_of_another_system_do_not_shift_the_lines(declare: Callable[..., Experiment]) -> None:
    text, line = with_line("task: binary", "task: x")
    assert problem(text.replace("\n", "\r\n")).line == line
