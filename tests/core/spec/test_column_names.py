"""Columns are named as their owners name them; what cannot be told apart by eye, or be written down, is refused."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from slipway.core.naming import MOST_CHARACTERS, key_part
from slipway.core.spec import Experiment
from slipway.core.spec._yaml import read_experiment
from slipway.errors import SpecInvalid
from slipway.types import Problem

Declare = Callable[..., Experiment]

ODD = [
    *(
        "Net Sales",
        "F.Undergrad",
        "Größe [cm]",
        "a/b",
        "x:y",
        "% off",
        "it's",
        'the "best"',
        "a\\b",
        "__init__",
        "a__b",
    ),
    *("1st floor", "2013", "yes", "null", "~", "<<", "- a", "# no", "{a: 1}", "a, b", "$x_1$", "|", "*", "&a", "!a"),
    *("日本語", "naïve", "\U0001f6eb", "نیم‌فاصله", "[key]", "a\u00a0b", "self", "_", "-", ".", "x" * MOST_CHARACTERS),
]
"""Names of real tables, and of what YAML, Python and regular expressions take for something else."""

names = some.text(some.characters(exclude_categories=["C", "Zl", "Zp"]), min_size=1, max_size=MOST_CHARACTERS).filter(
    lambda name: name == name.strip()
) | some.sampled_from(ODD)


def declaring(declare: Declare, target: str, number: str, words: str) -> dict[str, Any]:
    """An experiment in which every key that names a column names one of these."""
    data = {
        "source": {"csv": "rows.csv"},
        "target": target,
        "id": words,
        "not_leaking": [number],
        "columns": {target: {"type": "int"}, number: {"type": "float"}, words: {"type": "category"}},
    }
    split = {"method": "group", "group": words}
    evaluation = {"slices": [number], "sensitive": [number]}
    return {**declare().as_dict(), "data": data, "split": split, "evaluation": evaluation}


@given(three=some.lists(names, min_size=3, max_size=3, unique=True))
def test_every_key_that_names_a_column_takes_any_readable_name(declare: Declare, three: list[str]) -> None:
    said = declaring(declare, *three)
    experiment = read_experiment(json.dumps(said, ensure_ascii=False))
    assert list(experiment.data.columns) == three
    assert experiment.data.features == (three[1],)
    assert (experiment.data.target, experiment.data.id, experiment.evaluation.columns) == (
        three[0],
        three[2],
        (three[1],),
    )
    assert Experiment.model_validate(json.loads(json.dumps(experiment.as_dict()))) == experiment


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("", "is empty"),
        (" a", "begins or ends with a blank"),
        ("a\u00a0", "begins or ends with a blank"),
        ("a\tb", "holds U+0009, which cannot be seen"),
        ("a\nb", "holds U+000A, which cannot be seen"),
        ("a\u200bb", "holds U+200B, which cannot be seen"),
        ("a\u202eb", "holds U+202E, which cannot be seen"),
        ("a\u2028b", "holds U+2028, which cannot be seen"),
        ("\ufeffa", "holds U+FEFF, which cannot be seen"),
        ("x" * (MOST_CHARACTERS + 1), f"has {MOST_CHARACTERS + 1} characters; {MOST_CHARACTERS} are allowed"),
    ],
)
def test_a_name_that_cannot_be_told_from_another_by_eye_is_refused_with_its_line_and_the_reason(
    name: str, why: str
) -> None:
    found = problems(TEXT.replace("port:", f"{json.dumps(name)}:"))
    assert [problem.line for problem in found] == [8]
    assert why in found[0].message and "rename it in the table" in found[0].message


@pytest.mark.parametrize("written", ["2013", "1.5", "true", "null", "2013-01-31"])
def test_a_name_that_yaml_reads_as_something_else_is_refused_with_how_to_write_it(written: str) -> None:
    found = problems(TEXT.replace("port:", f"{written}:"))
    assert [problem.line for problem in found] == [8]
    assert "put it in quotes" in found[0].message
    assert written in read_experiment(TEXT.replace("port:", f"'{written}':")).data.columns


def test_the_key_of_a_problem_quotes_an_odd_name() -> None:
    (found,) = problems(TEXT.replace("port: {type: category}", "F.Under grad: {type: categry}"))
    assert found.key == "data.columns.'F.Under grad'.type"


@given(two=some.lists(names, min_size=2, max_size=2, unique=True))
def test_the_part_of_a_key_that_a_name_becomes_is_mlflows_and_no_other_name_becomes_it(two: list[str]) -> None:
    from mlflow.entities import Metric
    from mlflow.utils.validation import _validate_metric

    parts = [key_part(name) for name in two]
    assert parts[0] != parts[1]
    for part in parts:
        metric = Metric(f"demographic_parity_difference_{part}", 0.5, 0, 0)
        _validate_metric(metric.key, metric.value, metric.timestamp, metric.step)


@pytest.mark.parametrize("name", ["port", "origin_airport", "day-of-week"])
def test_a_plain_name_stands_in_a_key_as_it_is(name: str) -> None:
    assert key_part(name) == name


def test_names_that_differ_in_odd_characters_alone_have_other_keys() -> None:
    alike = ["net sales", "net_sales", "net.sales", "net/sales", "Net Sales", "net  sales"]
    assert len({key_part(name).casefold() for name in alike}) == len(alike)


def problems(text: str) -> list[Problem]:
    with pytest.raises(SpecInvalid) as raised:
        read_experiment(text)
    return list(raised.value.problems)


TEXT = """name: small
scope: {goal: Say which rows are late.}
task: binary
data:
  source: {csv: rows.csv}
  target: late
  columns:
    port: {type: category}
    late: {type: int}
    minutes: {type: float}
split: {method: random}
search:
  metric: roc_auc
  candidates:
    logistic: {estimator: sklearn.linear_model.LogisticRegression}
"""
