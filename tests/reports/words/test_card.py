import pytest

from slipway.core.statistics.calibration import Calibration, CalibrationBin
from slipway.core.statistics.disagreement import Gap
from slipway.core.statistics.slices import Slice
from slipway.core.tasks import Task
from slipway.reports.words import card as say
from slipway.types import Interval

OFF = Calibration(0.0312, (CalibrationBin(0.1, 0.11, 50), CalibrationBin(0.62, 0.55, 50)))


@pytest.mark.parametrize(
    ("within", "preferred", "said"),
    [
        (1, "fastest", "no other trial is within the noise of the best"),
        (2, "", "one other trial is within the noise of the best; taken was the best of them"),
        (1201, "simplest", "1,200 other trials are within the noise of the best; taken was the simplest of them"),
    ],
)
def test_how_many_trials_could_have_been_the_best(within, preferred, said):
    assert say.equals(within, preferred) == said


def test_what_became_of_the_trials():
    assert say.trials(58, 2, None, None) == "58 done, 2 failed"
    assert (
        say.trials(58, 0, 40, 5) == "58 done, 0 failed; 40 of those done were let go early by halving; each on 5 folds"
    )


def test_how_far_predictions_can_be_taken_at_their_word():
    binary = say.calibrated(OFF, Task.BINARY, "")
    assert binary.startswith(
        "Taken at its word, the probability is 0.0312 off on average (expected calibration error, 2 bins"
    )
    assert binary.endswith("most where 0.6200 was predicted on average and 0.5500 came.")
    assert "the probability of the predicted class" in say.calibrated(OFF, Task.MULTICLASS, "")
    assert "what is predicted is 0.0312 minutes off" in say.calibrated(OFF, Task.REGRESSION, "minutes")


def test_how_many_slices_are_worse():
    worse, alike = (Slice("c", "v", 99, Interval(0, 0, 0), "", Interval(d, d - 1, d + 1)) for d in (-2.0, 0.0))
    unmeasured = Slice("c", "v", 3, None, "fewer than 30 rows")
    assert say.sliced([worse, alike, unmeasured]).startswith("1 of 2 slices is worse than the rest beyond noise;")
    assert say.sliced([worse, worse]).startswith("2 of 2 slices are worse")
    assert say.sliced([alike]).startswith("None of 1 slices is worse")


def test_how_far_apart_groups_are():
    both = {"demographic parity difference": 0.25, "equalized odds difference": 0.125}
    assert say.compared(both, ("x", "y")) == (
        "Between the groups that are furthest apart, the demographic parity difference is 0.2500 and the equalized odds "
        "difference is 0.1250. These have too few rows to be compared: x, y."
    )
    assert say.compared(both | {"equalized odds difference": None}, ()).endswith("difference is 0.2500.")
    assert say.compared(dict.fromkeys(both), ()) == "There are no two groups to compare."


def test_how_often_and_how_far_two_versions_differ():
    assert say.disagreed(Gap.LABEL, 0.031, 0.031, 50_000, 3) == (
        "3.1% of 50,000 test rows get another answer than from version 3, which was in Production."
    )
    assert say.disagreed(Gap.SCORE, 0.031, 0.05, 50_000, 3).endswith("; the probabilities are 0.0500 apart on average.")
    assert say.disagreed(Gap.VALUE, 1.0, 2.5, 900, 3).startswith(
        "On 900 test rows the answers are 2.5000 away on average"
    )
