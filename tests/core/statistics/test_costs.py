import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.core.spec import Costs
from slipway.core.statistics.costs import answered_from, cheapest_threshold, cost_along, mean_cost, pooled
from slipway.core.statistics.metrics import Outcome

amounts = st.floats(0.1, 20)
rows = st.lists(st.tuples(st.sampled_from([0, 1]), st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.7, 1.0])), min_size=1)


def outcome(truth, scores, threshold=0.5) -> Outcome:
    truth, scores = np.asarray(truth, float), np.asarray(scores, float)
    return Outcome(truth, (scores >= threshold).astype(float), scores, probabilistic=True)


def cost_at(truth, scores, threshold, costs) -> float:
    answered = outcome(truth, scores, threshold)
    return mean_cost(answered, costs)(np.ones(answered.rows))


@given(drawn=rows, false_positive=amounts, false_negative=amounts)
def test_no_other_threshold_is_cheaper(drawn, false_positive, false_negative):
    truth, scores = zip(*drawn, strict=True)
    costs = Costs(false_positive=false_positive, false_negative=false_negative)
    threshold, cost = cheapest_threshold(outcome(truth, scores), costs)
    assert cost == pytest.approx(cost_at(truth, scores, threshold, costs))
    others = [0.0, *np.unique(scores), 0.33, 0.9, 1.1]
    assert cost <= min(cost_at(truth, scores, other, costs) for other in others) + 1e-12


@given(drawn=rows, false_positive=amounts, false_negative=amounts)
def test_the_cost_along_the_thresholds_is_that_of_the_answers_at_each(drawn, false_positive, false_negative):
    truth, scores = zip(*drawn, strict=True)
    costs = Costs(false_positive=false_positive, false_negative=false_negative)
    answered = outcome(truth, scores)
    thresholds, cost = cost_along(answered, costs)
    assert (np.diff(thresholds) > 0).all() and thresholds[0] == 0
    for threshold, value in zip(thresholds, cost, strict=True):
        there = answered_from(answered, threshold)
        assert value == pytest.approx(mean_cost(there, costs)(np.ones(there.rows)))
    assert cost.min() == pytest.approx(cheapest_threshold(answered, costs)[1])
    assert answered_from(answered, thresholds[0]).predicted.all()
    assert not answered_from(answered, thresholds[-1]).predicted.any()


def test_of_equally_cheap_ones_the_nearest_to_the_theory_is_taken():
    threshold, cost = cheapest_threshold(
        outcome([0, 1, 0, 1], [0.1, 0.1, 0.9, 0.9]), Costs(false_positive=1, false_negative=1)
    )
    assert (threshold, cost) == (0.5, 0.5)


def test_what_is_dear_to_miss_is_called_early():
    rng = np.random.default_rng(0)
    scores = rng.random(20_000)
    truth = rng.random(20_000) < scores  # calibrated
    dear, _ = cheapest_threshold(outcome(truth, scores), Costs(false_positive=1, false_negative=9))
    cheap, _ = cheapest_threshold(outcome(truth, scores), Costs(false_positive=9, false_negative=1))
    assert dear == pytest.approx(0.1, abs=0.05) and cheap == pytest.approx(0.9, abs=0.05)


def test_adjacent_floats_are_told_apart():
    below = np.nextafter(0.3, 0)
    costs = Costs(false_positive=1, false_negative=1)
    threshold, cost = cheapest_threshold(outcome([0, 1], [below, 0.3]), costs)
    assert cost == 0 == cost_at([0, 1], [below, 0.3], threshold, costs)


def test_folds_are_pooled_row_by_row():
    whole = pooled([outcome([0, 1], [0.2, 0.6]), outcome([1], [0.4])])
    assert whole.truth.tolist() == [0, 1, 1] and whole.scores.tolist() == [0.2, 0.6, 0.4] and whole.probabilistic
    labels_only = pooled([outcome([0], [0.2]), Outcome(np.array([1.0]), np.array([1.0]))])
    assert labels_only.scores is None and not labels_only.probabilistic
