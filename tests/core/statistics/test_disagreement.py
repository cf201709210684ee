import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from slipway.core.statistics.disagreement import (
    Gap,
    answers_digest,
    different_answers,
    disagreement,
    disputed_rows,
)
from slipway.core.statistics.metrics import Outcome
from slipway.core.tasks import Task

ROWS = 12
unit = st.floats(0, 1)


def binary(scores: np.ndarray, probabilistic: bool = True) -> Outcome:
    truth = (np.arange(len(scores)) % 2).astype(float)
    return Outcome(truth, (scores > 0.5).astype(float), scores, probabilistic)


@st.composite
def several(draw: st.DrawFn, classes: int = 3) -> Outcome:
    raw = draw(arrays.arrays(float, (ROWS, classes), elements=st.floats(0.01, 1)))
    scores = raw / raw.sum(axis=1, keepdims=True)
    return Outcome(np.zeros(ROWS), scores.argmax(axis=1).astype(float), scores, True)


@st.composite
def of_values(draw: st.DrawFn) -> Outcome:
    return Outcome(np.zeros(ROWS), draw(arrays.arrays(float, ROWS, elements=st.floats(-1e6, 1e6))))


kinds = st.one_of(
    st.tuples(st.just(Task.BINARY), *[arrays.arrays(float, ROWS, elements=unit).map(binary)] * 2),
    st.tuples(st.just(Task.MULTICLASS), several(), several()),
    st.tuples(st.just(Task.REGRESSION), of_values(), of_values()),
)


@given(pair=kinds, most=st.integers(0, ROWS + 3))
def test_the_rows_told_are_those_with_the_widest_gaps_and_all_others_are_no_wider(pair, most: int) -> None:
    task, left, right = pair
    found, whole = disagreement(task, left, right, most), disagreement(task, left, right, ROWS)
    assert len(found.positions) == min(most, len(whole.positions))
    assert len(set(found.positions.tolist())) == len(found.positions)
    assert (np.diff(whole.gaps) <= 0).all() and (whole.gaps > 0).all()
    assert found.positions.tolist() == whole.positions[:most].tolist()
    assert whole.mean * ROWS == pytest.approx(whole.gaps.sum())
    assert set(np.flatnonzero(left.predicted != right.predicted)) <= set(whole.positions.tolist())
    assert found.rate == pytest.approx((left.predicted != right.predicted).mean())


@given(pair=kinds)
def test_it_does_not_matter_which_of_the_two_is_left(pair) -> None:
    task, left, right = pair
    one, other = disagreement(task, left, right), disagreement(task, right, left)
    assert one.positions.tolist() == other.positions.tolist()
    assert (one.gaps == other.gaps).all() and (one.rate, one.mean) == (other.rate, other.mean)


@given(pair=kinds)
def test_a_model_agrees_with_itself(pair) -> None:
    task, left, _ = pair
    found = disagreement(task, left, left)
    assert (found.rate, found.mean, found.positions.tolist()) == (0, 0, [])


@given(left=several(), right=several())
def test_a_distance_of_probabilities_is_between_0_and_1(left: Outcome, right: Outcome) -> None:
    gaps = disagreement(Task.MULTICLASS, left, right).gaps
    assert ((gaps > 0) & (gaps <= 1 + 1e-12)).all()


def test_the_gap_of_a_binary_task_is_that_of_the_positive_class() -> None:
    left, right = binary(np.array([0.1, 0.9, 0.5, 0.2])), binary(np.array([0.2, 0.1, 0.5, 0.6]))
    found = disagreement(Task.BINARY, left, right)
    assert found.measured is Gap.SCORE
    assert found.positions.tolist() == [1, 3, 0]
    assert found.gaps == pytest.approx([0.8, 0.4, 0.1])
    assert found.rate == 0.5


def test_margins_have_no_common_unit_so_labels_decide() -> None:
    margins = binary(np.array([-7.0, 9.0, 0.7, 0.6]), probabilistic=False)
    for other in (binary(np.array([0.1, 0.2, 0.9, 0.1])), Outcome(margins.truth, np.array([0.0, 0.0, 1.0, 0.0]))):
        found = disagreement(Task.BINARY, margins, other)
        assert found.measured is Gap.LABEL
        assert (found.positions.tolist(), found.gaps.tolist()) == ([1, 3], [1, 1])


def test_outcomes_of_other_rows_are_refused() -> None:
    left, right = binary(np.array([0.1, 0.9])), binary(np.array([0.1, 0.9, 0.3]))
    with pytest.raises(ValueError, match="not of the same rows"):
        disagreement(Task.BINARY, left, right)
    with pytest.raises(ValueError, match="not of the same rows"):
        disagreement(Task.BINARY, left, Outcome(1 - left.truth, left.predicted, left.scores, True))


def test_no_rows_are_no_disagreement() -> None:
    empty = Outcome(np.zeros(0), np.zeros(0))
    found = disagreement(Task.REGRESSION, empty, empty)
    assert (found.rate, found.mean, len(found.positions)) == (0, 0, 0)


FRAME = pd.DataFrame(
    {
        "port": pd.Series(["A", None, "C", "D"], dtype="str"),
        "minutes": [1.5, np.nan, 3.0, 4.0],
        "count": np.array([1, 2, 3, 4], dtype="int64"),
        "when": pd.to_datetime(["2026-01-01T00:00:00", None, "2026-01-03T00:00:00", "2026-01-04T12:30:00"]),
        "holiday": [True, False, True, False],
    },
    index=[9, 7, 5, 3],
)


def test_a_disputed_row_has_its_values_the_truth_and_both_answers_as_json_can_hold_them() -> None:
    left, right = binary(np.array([0.5, 0.9, 0.5, 0.2])), binary(np.array([0.5, 0.1, 0.5, 0.6]))
    found = disagreement(Task.BINARY, left, right)
    first, second = disputed_rows(found, FRAME, list(FRAME), ("no", "yes"), left, right)
    assert (first.position, second.position) == (1, 3)
    assert first.values == {"port": None, "minutes": None, "count": 2, "when": None, "holiday": False}
    assert second.values["when"] == "2026-01-04 12:30:00"
    assert (first.truth, first.left.label, first.right.label) == ("yes", "yes", "no")
    assert (first.left.score, first.right.score, first.gap) == pytest.approx((0.9, 0.1, 0.8))
    assert json.loads(json.dumps(second.values)) == second.values


def test_among_several_classes_the_score_is_that_of_the_answer_and_a_strange_answer_has_none() -> None:
    scores = np.array([[0.7, 0.2, 0.1], [0.0, 0.0, 0.0]])
    left = Outcome(np.array([0.0, 2.0]), np.array([0.0, -1.0]), scores, True)
    right = Outcome(np.array([0.0, 2.0]), np.array([2.0, 2.0]), np.array([[0.1, 0.1, 0.8], [0, 0, 1.0]]), True)
    found = disagreement(Task.MULTICLASS, left, right)
    rows = disputed_rows(found, FRAME.head(2), ["count"], ("a", "b", "c"), left, right)
    assert [(row.left.label, row.left.score, row.right.label, row.right.score) for row in rows] == [
        ("a", 0.7, "c", 0.8),
        (None, None, "c", 1.0),
    ]


def test_in_a_regression_an_answer_is_a_value() -> None:
    left, right = Outcome(np.array([1.0, 2.0]), np.array([1.5, 2.0])), Outcome(np.array([1.0, 2.0]), np.array([4.5, 2]))
    found = disagreement(Task.REGRESSION, left, right)
    assert (found.measured, found.rate, found.mean) == (Gap.VALUE, 0.5, 1.5)
    (row,) = disputed_rows(found, FRAME.head(2), ["minutes"], (), left, right)
    assert (row.truth, row.left.label, row.right.label, row.left.score, row.gap) == (1.0, 1.5, 4.5, None, 3.0)


def test_answers_are_the_same_only_where_every_answer_and_score_is() -> None:
    truth = np.array([0.0, 1.0, 1.0])
    scored = Outcome(truth, np.array([0.0, 1.0, 1.0]), np.array([0.2, 0.8, 0.9]), True)
    moved = Outcome(truth, np.array([0.0, 1.0, 1.0]), np.array([0.2, 0.8, 0.91]), True)
    bare = Outcome(truth, np.array([0.0, 1.0, 0.0]))
    assert different_answers(scored, scored) == 0 and different_answers(scored, moved) == 1
    assert different_answers(bare, Outcome(truth, truth)) == 1 and different_answers(bare, scored) == 3
    assert answers_digest(scored, "rows") == answers_digest(scored, "rows")
    assert (
        len({answers_digest(each, rows) for each, rows in ((scored, "a"), (scored, "b"), (moved, "a"), (bare, "a"))})
        == 4
    )
