import numpy as np
import pandas as pd
import pytest
from fairlearn.metrics import MetricFrame, demographic_parity_difference, equalized_odds_difference, selection_rate
from sklearn.metrics import accuracy_score, mean_absolute_error, precision_score, recall_score

from slipway.core.statistics.metrics import Outcome
from slipway.core.statistics.slices import slice_labels
from slipway.core.tasks import Task
from slipway.reports.card import CardFairness
from slipway.reports.fairness import ODDS, PARITY, fairness


def answered(rows: int = 900, seed: int = 0) -> tuple[Outcome, pd.Series]:
    """A binary outcome that says yes to group b more often than to a and c."""
    rng = np.random.default_rng(seed)
    group = pd.Series(rng.choice(["a", "b", "c"], rows))
    truth = (rng.random(rows) < 0.4).astype(float)
    scores = np.clip(0.3 * truth + 0.5 * rng.random(rows) + 0.2 * (group == "b"), 0, 1).to_numpy()
    return Outcome(truth, (scores >= 0.5).astype(float), scores, True), group


def only(task: Task, outcome: Outcome, group: pd.Series, classes: tuple[str, ...] = ()) -> CardFairness:
    (found,) = fairness(task, outcome, {"origin": group}, classes)
    assert found.column == "origin"
    return found


def test_each_group_has_the_rates_that_its_rows_alone_have():
    outcome, group = answered()
    for found in only(Task.BINARY, outcome, group).groups:
        mine = (group == found.value).to_numpy()
        truth, said = outcome.truth[mine], outcome.predicted[mine]
        assert found.rows == mine.sum()
        assert found.measures == pytest.approx(
            {
                "selection rate": said.mean(),
                "true positive rate": said[truth == 1].mean(),
                "false positive rate": said[truth == 0].mean(),
                "precision": precision_score(truth, said),
                "mean score": outcome.scores[mine].mean(),
            }
        )


def test_differences_are_those_of_fairlearn_over_all_rows():
    outcome, group = answered()
    found = only(Task.BINARY, outcome, group)
    given = {"sensitive_features": group}
    assert found.differences == pytest.approx(
        {
            PARITY: demographic_parity_difference(outcome.truth, outcome.predicted, **given),
            ODDS: equalized_odds_difference(outcome.truth, outcome.predicted, **given),
        }
    )
    rates = MetricFrame(metrics=selection_rate, y_true=outcome.truth, y_pred=outcome.predicted, **given).by_group
    assert rates.to_dict() == pytest.approx({part.value: part.measures["selection rate"] for part in found.groups})
    assert found.differences[PARITY] > 0.2 and found.left_out == ()


def test_groups_come_in_the_order_of_their_slices_and_missing_ones_are_a_group():
    outcome, _ = answered(600)
    age = pd.Series(np.where(np.arange(600) % 6 == 0, np.nan, np.arange(600) % 97))
    names = slice_labels(age)
    found = only(Task.BINARY, outcome, names)
    assert [group.value for group in found.groups] == names.cat.categories.tolist()
    assert found.groups[-1].value == "(missing)"
    assert sum(group.rows for group in found.groups) == 600


def test_a_group_of_few_rows_is_shown_but_not_compared():
    outcome, group = answered()
    group[:10] = "rare"
    outcome.predicted[:10] = 1
    found = only(Task.BINARY, outcome, group)
    assert found.left_out == ("rare",)
    rare = next(part for part in found.groups if part.value == "rare")
    assert rare.measures["selection rate"] == 1
    assert found.differences[PARITY] < 0.9


def test_a_rate_among_no_rows_is_not_defined():
    outcome, group = answered()
    without = group == "a"
    outcome.truth[without] = 0
    outcome.predicted[without] = 0
    found = only(Task.BINARY, outcome, group)
    lone = found.groups[0]
    assert lone.measures["true positive rate"] is None and lone.measures["precision"] is None
    assert lone.measures["false positive rate"] == 0
    assert found.differences[ODDS] < found.differences[PARITY], "a group without positives has no true positive rate"


def test_one_group_alone_is_compared_with_nothing():
    outcome, _ = answered(100)
    found = only(Task.BINARY, outcome, pd.Series(["a"] * 100))
    assert found.differences == {PARITY: None, ODDS: None}


def test_a_prediction_without_scores_has_no_mean_score():
    outcome, group = answered()
    found = only(Task.BINARY, Outcome(outcome.truth, outcome.predicted), group)
    assert "mean score" not in found.measures and "precision" in found.measures


def test_several_classes_have_accuracy_and_the_recall_of_each():
    rng = np.random.default_rng(1)
    group, truth = pd.Series(rng.choice(["a", "b"], 400)), rng.integers(0, 3, 400).astype(float)
    said = np.where(rng.random(400) < 0.6, truth, rng.integers(0, 3, 400))
    found = only(Task.MULTICLASS, Outcome(truth, said), group, ("low", "mid", "high"))
    mine = (group == "b").to_numpy()
    assert found.measures == ("accuracy", "recall of low", "recall of mid", "recall of high")
    accuracy, *recalls = found.groups[1].measures.values()
    assert accuracy == pytest.approx(accuracy_score(truth[mine], said[mine]))
    assert recalls == pytest.approx(recall_score(truth[mine], said[mine], average=None))
    assert found.differences == {
        "accuracy difference": pytest.approx(abs(accuracy - found.groups[0].measures["accuracy"]))
    }


def test_of_many_classes_the_most_frequent_have_their_recall():
    truth = np.repeat(np.arange(12.0), np.arange(40, 52))
    found = only(Task.MULTICLASS, Outcome(truth, truth), pd.Series(["a"] * len(truth)), tuple("abcdefghijkl"))
    assert [name for name in found.measures if name.startswith("recall")] == [f"recall of {c}" for c in "efghijkl"]


def test_a_regression_has_its_errors():
    rng = np.random.default_rng(2)
    group, truth = pd.Series(["a", "b"] * 200), rng.normal(size=400)
    predicted = truth - np.where(group == "b", 2.0, 0.5) + rng.normal(size=400) * 0.1
    found = only(Task.REGRESSION, Outcome(truth, predicted), group)
    first, second = (part.measures for part in found.groups)
    mine = (group == "b").to_numpy()
    assert second["mean error"] == pytest.approx((truth - predicted)[mine].mean())
    assert second["mean absolute error"] == pytest.approx(mean_absolute_error(truth[mine], predicted[mine]))
    assert found.differences == pytest.approx(
        {
            "mean error difference": second["mean error"] - first["mean error"],
            "mean absolute error difference": second["mean absolute error"] - first["mean absolute error"],
        }
    )


@pytest.mark.parametrize("task", list(Task))
def test_no_rows_are_no_groups(task):
    empty = Outcome(np.array([]), np.array([]))
    assert only(task, empty, pd.Series([], dtype=object), ("a", "b")).groups == ()
