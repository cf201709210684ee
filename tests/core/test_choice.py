import math

import numpy as np
import pytest

from slipway.core.choice import better_beyond_noise, choose, contenders, noise
from slipway.core.trials import Trial

SHARED = np.random.default_rng(0).normal(scale=0.02, size=50)


def trial(number: int, score: float | None, own_noise: float = 0.001, **more) -> Trial:
    """A trial whose score moves with the resamples as all others do, and a little on its own."""
    own = np.random.default_rng(number).normal(scale=own_noise, size=50)
    resamples = () if score is None else tuple((score + SHARED + own).tolist())
    return Trial(number, "it", score, resamples=resamples, **more)


def test_what_is_not_worse_beyond_the_noise_of_the_difference_is_a_contender():
    trials = [trial(1, 0.800), trial(2, 0.799), trial(3, 0.780), trial(4, None)]
    assert [t.number for t in contenders(trials, "roc_auc")] == [1, 2]


def test_the_noise_of_the_difference_counts_and_not_that_of_the_scores():
    assert noise(trial(1, 0.8)) == pytest.approx(0.02, rel=0.3)  # far more than the 0.02 between the two below
    assert [t.number for t in contenders([trial(1, 0.80), trial(2, 0.79)], "roc_auc")] == [1]


def test_of_an_error_the_smallest_is_best():
    trials = [trial(1, 0.300), trial(2, 0.2995), trial(3, 0.250), trial(4, 0.2502)]
    assert [t.number for t in contenders(trials, "log_loss")] == [3, 4]


def test_a_faster_or_simpler_one_is_preferred_within_the_noise_only():
    trials = [
        trial(1, 0.800, predict_ms=9.0, size_bytes=900),
        trial(2, 0.799, predict_ms=3.0, size_bytes=500),
        trial(3, 0.7995, predict_ms=5.0, size_bytes=100),
        trial(4, 0.700, predict_ms=0.1, size_bytes=1),
    ]
    assert choose(trials, "roc_auc").number == 1
    assert choose(trials, "roc_auc", "fastest").number == 2
    assert choose(trials, "roc_auc", "simplest").number == 3


def test_a_model_of_unknown_size_is_not_the_simplest():
    trials = [trial(1, 0.800, size_bytes=0), trial(2, 0.7995, size_bytes=500)]
    assert choose(trials, "roc_auc", "simplest").number == 2


def test_what_was_fitted_on_a_part_of_the_rows_never_wins():
    trials = [trial(1, 0.7), trial(2, 0.9, share=0.3)]
    assert choose(trials, "roc_auc").number == 1
    with pytest.raises(ValueError):
        choose([trial(2, 0.9, share=0.3)], "roc_auc")


def test_without_resamples_only_equals_are_contenders():
    trials = [Trial(1, "it", 0.8), Trial(2, "it", 0.8), Trial(3, "it", 0.79)]
    assert [t.number for t in contenders(trials, "roc_auc")] == [1, 2]
    assert math.isnan(noise(trials[0]))


def test_better_beyond_noise_takes_a_standard_error_of_the_difference():
    drawn = tuple(np.random.default_rng(0).normal(scale=0.01, size=50))
    other = Trial(1, "a", 0.8, resamples=tuple(0.8 for _ in drawn))
    for ahead, better in ((0.02, True), (0.005, False), (-0.02, False)):
        trial = Trial(2, "a", 0.8 + ahead, resamples=tuple(0.8 + ahead + noise for noise in drawn))
        assert better_beyond_noise(trial, other, "roc_auc") is better
