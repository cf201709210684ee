import math

from slipway.core.trials import Trial, best_so_far, ranked


def row(number: int, value: float | None) -> Trial:
    return Trial(number, "candidate", value)


def test_the_best_comes_first_whichever_way_the_metric_points():
    trials = [row(0, 0.7), row(1, 0.9), row(2, 0.8)]
    assert [trial.number for trial in ranked(trials, "roc_auc")] == [1, 2, 0]
    assert [trial.number for trial in ranked(trials, "rmse")] == [0, 2, 1]


def test_failed_trials_come_last_whichever_way_the_metric_points():
    trials = [row(0, None), row(1, -3.0), row(2, math.nan), row(3, 5.0)]
    assert [trial.number for trial in ranked(trials, "r2")] == [3, 1, 0, 2]
    assert [trial.number for trial in ranked(trials, "rmse")] == [1, 3, 0, 2]


def test_equal_trials_keep_the_order_in_which_they_were_tried():
    assert [trial.number for trial in ranked([row(2, 0.5), row(0, 0.5), row(1, 0.5)], "roc_auc")] == [0, 1, 2]


def test_the_best_so_far_follows_the_numbers_and_skips_failures():
    trials = [row(3, 0.9), row(0, 0.6), row(1, None), row(2, 0.5)]
    assert best_so_far(trials, "roc_auc") == [(0, 0.6), (2, 0.6), (3, 0.9)]
    assert best_so_far(trials, "log_loss") == [(0, 0.6), (2, 0.5), (3, 0.5)]


def test_a_search_without_a_usable_trial_has_no_best():
    assert best_so_far([row(0, None), row(1, math.inf)], "roc_auc") == []
