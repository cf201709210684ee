import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier

from slipway.core.prediction import classes_of, encode, predict, predict_as_before, predict_once
from slipway.core.statistics.metrics import METRICS, measure
from slipway.core.tasks import Task

labels = st.one_of(
    st.lists(st.integers(-5, 5), min_size=2, max_size=2, unique=True),
    st.lists(st.text("abcé", min_size=1, max_size=3), min_size=2, max_size=2, unique=True),
    st.just([False, True]),
)


def rows_and_truth(names: list, count: int = 60) -> tuple[pd.DataFrame, pd.Series]:
    """One number that tells the classes apart, up to noise."""
    codes = np.arange(count) % len(names)
    noise = np.random.default_rng(0).normal(scale=0.3, size=count)
    return pd.DataFrame({"x": codes + noise}), pd.Series([names[code] for code in codes])


@given(names=labels, which=st.integers(0, 1))
def test_the_positive_class_is_the_last_and_by_default_that_is_the_last_in_order(names: list, which: int) -> None:
    target = pd.Series(names * 3)
    assert classes_of(target, Task.BINARY) == tuple(sorted(names))
    classes = classes_of(target, Task.BINARY, names[which])
    assert classes == (names[1 - which], names[which])
    assert all(type(value) in (int, str, bool) for value in classes)


@given(names=st.lists(st.integers(-9, 9), min_size=3, max_size=6, unique=True), data=st.data())
def test_codes_are_positions_among_the_classes_and_strangers_are_minus_1(names: list[int], data: st.DataObject) -> None:
    drawn = data.draw(st.lists(st.sampled_from(names), min_size=1, max_size=9))
    assert [names[int(code)] for code in encode(drawn, names)] == drawn
    assert encode([99, *drawn], names)[0] == -1


def test_values_of_a_regression_have_no_classes_and_stay_as_they_are() -> None:
    assert classes_of(pd.Series([1.5, 2.5]), Task.REGRESSION) == ()
    assert encode(pd.Series([1, 2]), ()).tolist() == [1.0, 2.0]


@pytest.mark.parametrize("values", [[1, 1, 1], [1, 2, 3], ["a", "a"]])
def test_a_binary_task_needs_exactly_two_classes(values: list) -> None:
    with pytest.raises(ValueError, match=r"needs two classes in its target; found [13]:"):
        classes_of(pd.Series(values), Task.BINARY)


def test_a_positive_class_that_is_not_there_is_named_with_those_that_are() -> None:
    with pytest.raises(ValueError, match=r"'yes' is not among the classes \['No', 'Yes'\]"):
        classes_of(pd.Series(["No", "Yes"]), Task.BINARY, "yes")


@pytest.mark.parametrize("names", [[0, 1], ["late", "early"], [False, True]])
@pytest.mark.parametrize("model", [LogisticRegression(), LinearSVC()])
def test_scores_are_those_of_the_positive_class_whichever_it_is(names: list, model) -> None:
    rows, truth = rows_and_truth(names)
    model.fit(rows, truth)
    for positive in names:
        outcome = predict(model, rows, truth, Task.BINARY, classes_of(truth, Task.BINARY, positive))
        assert outcome.probabilistic is isinstance(model, LogisticRegression)
        assert measure(Task.BINARY, outcome)["roc_auc"] > 0.9
        assert (outcome.truth == (truth == positive)).all()
        assert (outcome.predicted == 1).mean() == pytest.approx(0.5, abs=0.1)


def test_a_class_that_the_model_never_saw_has_probability_0() -> None:
    rows, truth = rows_and_truth(["a", "b", "c"])
    seen = truth != "b"
    model = LogisticRegression().fit(rows[seen], truth[seen])
    outcome = predict(model, rows, truth, Task.MULTICLASS, ("a", "b", "c"))
    assert (outcome.scores[:, 1] == 0).all()
    assert np.allclose(outcome.scores.sum(axis=1), 1)


def test_margins_without_a_class_are_no_ranking_of_all_classes() -> None:
    rows, truth = rows_and_truth(["a", "b", "c"])
    whole = predict(LinearSVC().fit(rows, truth), rows, truth, Task.MULTICLASS, ("a", "b", "c"))
    seen = truth != "a"
    part = predict(LinearSVC().fit(rows[seen], truth[seen]), rows, truth, Task.MULTICLASS, ("a", "b", "c"))
    assert whole.scores.shape == (60, 3) and part.scores is None
    assert not METRICS["roc_auc"].fits(Task.MULTICLASS, part)


def test_a_model_without_scores_answers_labels_only() -> None:
    class Labels:
        def predict(self, rows: pd.DataFrame) -> list[str]:
            return ["b"] * len(rows)

    rows, truth = rows_and_truth(["a", "b"])
    outcome = predict(Labels(), rows, truth, Task.BINARY, ("a", "b"))
    assert outcome.scores is None and outcome.predicted.tolist() == [1.0] * 60


def test_a_regression_has_values_and_no_scores_and_a_column_answer_is_flattened() -> None:
    rows, truth = pd.DataFrame({"x": [1.0, 2.0, 3.0]}), pd.Series([2.0, 4.0, 6.0])
    model = LinearRegression().fit(rows, truth.to_frame())
    outcome = predict(model, rows, truth, Task.REGRESSION, ())
    assert outcome.predicted == pytest.approx([2.0, 4.0, 6.0]) and outcome.scores is None


def test_the_prior_alone_ranks_nothing() -> None:
    rows, truth = rows_and_truth([0, 1])
    outcome = predict(DummyClassifier().fit(rows, truth), rows, truth, Task.BINARY, (0, 1))
    assert measure(Task.BINARY, outcome)["roc_auc"] == 0.5


class Contrary(LogisticRegression):
    """Answers with the class that is less likely, as no sample of its probabilities would tell."""

    def predict(self, rows: pd.DataFrame) -> np.ndarray:
        return self.classes_[self.predict_proba(rows).argmin(axis=1)]


@pytest.mark.parametrize("names", [["no", "yes"], [0, 1, 2]])
@pytest.mark.parametrize(
    "model", [LogisticRegression(), DecisionTreeClassifier(max_depth=1), LinearSVC(), Contrary(), DummyClassifier()]
)
def test_asked_once_a_model_answers_what_it_answers_when_it_is_asked_twice(names: list, model: object) -> None:
    rows, truth = rows_and_truth(names, 6000)
    task = Task.BINARY if len(names) == 2 else Task.MULTICLASS
    fitted = clone(model).fit(rows, truth)
    for classes in (names, names[::-1]):
        once, twice = (ask(fitted, rows, truth, task, classes) for ask in (predict_once, predict))
        assert (once.predicted == twice.predicted).all() and once.probabilistic == twice.probabilistic
        assert (once.scores is None and twice.scores is None) or (once.scores == twice.scores).all()
        later = predict_as_before(fitted, rows[:100], truth[:100], task, classes, twice)
        assert (later.predicted == twice.predicted[:100]).all() and later.probabilistic == twice.probabilistic


def test_labels_that_follow_from_the_probabilities_are_asked_for_on_a_sample_only() -> None:
    rows, truth = rows_and_truth([0, 1], 6000)
    asked: list[int] = []

    class Counting(LogisticRegression):
        def predict(self, rows: pd.DataFrame) -> np.ndarray:
            asked.append(len(rows))
            return super().predict(rows)

    model = Counting().fit(rows, truth)
    predict_once(model, rows, truth, Task.BINARY, (0, 1))
    before = predict(model, rows[:10], truth[:10], Task.BINARY, (0, 1))
    predict_as_before(model, rows, truth, Task.BINARY, (0, 1), before)
    assert asked == [2000, 10]
