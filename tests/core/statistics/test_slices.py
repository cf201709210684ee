import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.core.statistics.intervals import bootstrap
from slipway.core.statistics.metrics import METRICS, Outcome
from slipway.core.statistics.slices import FEWEST_ROWS, MISSING, MOST_RESAMPLED, OTHER, Slice, slice_labels, slices
from slipway.core.tasks import Task


def names(column: pd.Series, **more: int) -> list[str]:
    """The names of the slices in their order."""
    return slice_labels(column, **more).cat.categories.tolist()


def answered(rows: int, seed: int = 0, blind: np.ndarray | None = None) -> Outcome:
    """A binary outcome whose scores know the truth up to noise, but not on the rows that are `blind`."""
    rng = np.random.default_rng(seed)
    truth = (rng.random(rows) < 0.4).astype(float)
    known = truth if blind is None else np.where(blind, 0.4, truth)
    scores = 1 / (1 + np.exp(-(2 * (known - 0.5) + rng.normal(size=rows))))
    return Outcome(truth, (scores > 0.5).astype(float), scores, True)


def of(column: str, value: str, found: tuple[Slice, ...]) -> Slice:
    return next(part for part in found if (part.column, part.value) == (column, value))


values = st.one_of(
    st.lists(st.sampled_from(["a", "b", "", None]), min_size=1, max_size=40),
    st.lists(st.one_of(st.integers(-50, 50), st.none()), min_size=1, max_size=40),
    st.lists(st.floats(allow_nan=True), min_size=1, max_size=40),
    st.lists(st.one_of(st.booleans(), st.none()), min_size=1, max_size=40),
    st.lists(st.datetimes(pd.Timestamp(2000, 1, 1), pd.Timestamp(2030, 1, 1)), min_size=1, max_size=40),
)


@given(drawn=values, most=st.integers(1, 12))
def test_every_row_has_one_name_and_what_is_missing_has_its_own(drawn, most):
    column = pd.Series(drawn, index=range(7, 7 + len(drawn)))
    labels = slice_labels(column, most)
    assert labels.index.equals(column.index) and labels.notna().all()
    assert ((labels == MISSING) == column.isna()).all()
    named = set(labels) - {MISSING, OTHER}
    assert len(named) <= max(most, 4)
    assert set(labels.cat.categories) == set(labels), "no name without rows"


@given(drawn=st.lists(st.floats(-1e6, 1e6), min_size=5, max_size=60))
def test_slices_of_numbers_do_not_overlap(drawn):
    labels = slice_labels(pd.Series(drawn), 4)
    ranges = pd.Series(drawn).groupby(labels, observed=True).agg(["min", "max"])
    assert (ranges["max"].to_numpy()[:-1] < ranges["min"].to_numpy()[1:]).all()


def test_categories_go_by_value_and_the_rarest_are_merged():
    column = pd.Series(["swift"] * 5 + ["dove"] * 3 + ["owl", "wren"])
    assert names(column) == ["dove", "owl", "swift", "wren"]
    assert names(column, most=2) == ["dove", "swift", OTHER]
    assert (slice_labels(column, 2) == OTHER).sum() == 2


def test_truth_values_go_by_value_whatever_is_missing():
    assert names(pd.Series([True, False, True])) == ["False", "True"]
    assert names(pd.Series([True, None, False], dtype=object)) == ["False", "True", MISSING]
    assert names(pd.Series([True, None], dtype="boolean")) == ["True", MISSING]


def test_few_numbers_go_by_value_in_their_order_and_many_in_quarters_named_by_their_ends():
    assert names(pd.Series([10, 9, 9, 100])) == ["9", "10", "100"]
    assert names(pd.Series([1.0, 2.5, None])) == ["1", "2.5", MISSING]
    assert names(pd.Series([3, None], dtype="Int64")) == ["3", MISSING]
    assert names(pd.Series(range(1, 101))) == ["1 to 25", "26 to 50", "51 to 75", "76 to 100"]
    assert names(pd.Series(np.linspace(0, 1, 101)))[-1] == "0.76 to 1"
    assert names(pd.Series(np.arange(13) * 1e6)) == ["0 to 3000000", "4000000 to 6000000", "7000000 to 9000000",
                                                     "10000000 to 12000000"]  # fmt: skip


def test_a_number_that_is_most_of_the_rows_is_a_slice_of_its_own():
    assert names(pd.Series([0] * 80 + list(range(1, 21)))) == ["0", "1 to 20"]


def test_numbers_that_are_nearly_equal_are_told_apart():
    near = pd.Series(1 + np.arange(100) * 1e-9)
    assert len(names(near)) == 4
    assert names(pd.Series([1.0, 1.0 + 1e-15])) == ["1", "1.0000000000000011"]


def test_numbers_that_are_not_finite_have_names():
    assert names(pd.Series([math.inf, 1.0, -math.inf, math.nan])) == ["-inf", "1", "inf", MISSING]


def test_times_go_by_month_by_day_where_they_are_few_and_in_quarters_where_those_are_many():
    year, days = pd.date_range("2013-01-01", "2013-12-31", freq="D"), pd.date_range("2013-01-01", periods=5, freq="D")
    assert names(pd.Series(year))[:2] == ["2013-01", "2013-02"] and len(names(pd.Series(year))) == 12
    assert names(pd.Series(days)) == [f"2013-01-0{day}" for day in range(1, 6)]
    six_weeks = pd.date_range("2013-01-01", periods=40, freq="D")
    assert names(pd.Series(six_weeks)) == ["2013-01-01 to 2013-01-10", "2013-01-11 to 2013-01-20",
                                           "2013-01-21 to 2013-01-30", "2013-01-31 to 2013-02-09"]  # fmt: skip
    assert names(pd.Series(pd.date_range("2012-01-01", "2013-12-31", freq="D")))[0] == "2012-01 to 2012-07"


def test_times_of_a_zone_go_by_the_clock_of_that_zone():
    column = pd.Series(pd.to_datetime(["2013-01-31 23:30", None])).dt.tz_localize("America/New_York")
    assert names(column) == ["2013-01-31", MISSING]


@pytest.mark.parametrize("dtype", [object, "float64", "datetime64[ns]", "category"])
def test_a_column_without_a_value_is_one_slice(dtype):
    assert names(pd.Series([None, None], dtype=dtype)) == [MISSING]
    assert names(pd.Series([], dtype=dtype)) == []


@pytest.mark.parametrize("name", Task.BINARY.traits.metrics)
def test_a_slice_has_the_value_that_the_metric_has_on_its_rows(name):
    outcome, metric = answered(600), METRICS[name]
    port = pd.Series(np.where(np.arange(600) % 3 == 0, "a", "b"))
    for part in slices(outcome, {"port": port}, metric, seed=1):
        rows = (port == part.value).to_numpy()
        alone = Outcome(outcome.truth[rows], outcome.predicted[rows], outcome.scores[rows], True)
        assert part.rows == rows.sum()
        assert part.interval.value == pytest.approx(metric.prepare(alone)(np.ones(alone.rows)))
        assert part.interval.low <= part.interval.value <= part.interval.high


@pytest.mark.parametrize("name", ["roc_auc", "log_loss"])
def test_of_two_slices_one_is_as_much_worse_as_the_other_is_better(name):
    port = pd.Series(["a", "b"] * 300)
    first, second = slices(answered(600), {"port": port}, METRICS[name], seed=1)
    assert first.difference.value == pytest.approx(-second.difference.value)
    sign = 1 if METRICS[name].greater_is_better else -1
    assert first.difference.value == pytest.approx(sign * (first.interval.value - second.interval.value))


@pytest.mark.parametrize("name", ["roc_auc", "log_loss", "accuracy", "average_precision"])
def test_the_slice_on_which_the_model_is_blind_is_worse_and_no_other(name):
    port = pd.Series(np.array(["a", "b", "c", "d"])[np.arange(4000) % 4])
    found = slices(answered(4000, blind=(port == "c").to_numpy()), {"port": port}, METRICS[name], seed=1)
    assert [part.value for part in found if part.worse] == ["c"]


@pytest.mark.slow
def test_slices_that_are_alike_are_called_worse_as_rarely_as_the_level_says():
    """400 slices of the same quality: at 95 % one in 40 is called worse by chance."""
    rng = np.random.default_rng(4)
    labels = {f"column {i}": pd.Series(rng.integers(0, 4, 2000)) for i in range(100)}
    found = slices(answered(2000, seed=4), labels, METRICS["accuracy"], seed=1)
    assert len(found) == 400
    assert 2 <= sum(part.worse for part in found) <= 22


def test_a_regression_has_slices_too():
    rng = np.random.default_rng(0)
    truth, port = rng.normal(size=1000), pd.Series(["a", "b"] * 500)
    outcome = Outcome(truth, truth + rng.normal(size=1000) * np.where(port == "b", 3, 1))
    found = slices(outcome, {"port": port}, METRICS["rmse"], seed=0)
    assert of("port", "b", found).worse and not of("port", "a", found).worse
    assert of("port", "b", found).difference.value == pytest.approx(-2, abs=0.4)


def test_slices_of_several_classes_are_measured():
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 3, 300)
    scores = rng.dirichlet(np.ones(3), 300)
    outcome = Outcome(truth.astype(float), scores.argmax(axis=1).astype(float), scores, True)
    for name in Task.MULTICLASS.traits.metrics:
        assert all(part.interval for part in slices(outcome, {"p": pd.Series(["a", "b"] * 150)}, METRICS[name], seed=0))


def test_a_slice_of_few_rows_or_of_one_class_says_so_and_has_no_interval():
    outcome = answered(400)
    few = pd.Series(np.arange(400) < FEWEST_ROWS - 1)
    found = slices(outcome, {"few": few, "class": pd.Series(outcome.truth)}, METRICS["roc_auc"], seed=0)
    assert (of("few", "True", found).interval, of("few", "True", found).reason) == (None, "fewer than 30 rows")
    assert of("few", "False", found).interval and of("few", "False", found).difference is None
    assert {part.reason for part in found if part.column == "class"} == {"one class only"}
    assert not any(part.worse for part in found)


def test_a_mean_over_rows_is_defined_on_one_class_too():
    outcome = answered(400)
    assert all(part.interval for part in slices(outcome, {"c": pd.Series(outcome.truth)}, METRICS["log_loss"], seed=0))


def test_a_class_that_does_not_occur_on_a_slice_is_said():
    truth = np.array([0.0, 1.0, 2.0] * 40)
    scores = np.eye(3)[truth.astype(int)]
    outcome = Outcome(truth, truth, scores, True)
    found = slices(outcome, {"p": pd.Series(np.where(truth < 2, "two", "one"))}, METRICS["roc_auc"], seed=0)
    assert of("p", "two", found).reason == "roc_auc is not defined on these rows"


def test_a_column_of_one_value_has_nothing_to_be_compared_with():
    (only,) = slices(answered(100), {"port": pd.Series(["a"] * 100)}, METRICS["roc_auc"], seed=0)
    assert only.interval and only.difference is None and not only.worse


def test_the_same_seed_gives_the_same_slices_and_another_seed_others():
    outcome, labels = answered(300), {"port": pd.Series(["a", "b", "c"] * 100)}
    once, again = (slices(outcome, labels, METRICS["roc_auc"], seed=5) for _ in range(2))
    assert once == again != slices(outcome, labels, METRICS["roc_auc"], seed=6)


def test_a_large_slice_has_the_interval_that_resampling_all_of_it_would_give():
    rows = 3 * MOST_RESAMPLED
    outcome = answered(rows)
    metric = METRICS["roc_auc"]
    whole = bootstrap({"roc_auc": metric.prepare(outcome)}, rows, seed=0)["roc_auc"]
    (part,) = slices(outcome, {"all": pd.Series(["a"] * rows)}, metric, seed=0)
    assert part.interval.value == pytest.approx(whole.value)
    assert part.interval.high - part.interval.low == pytest.approx(whole.high - whole.low, rel=0.2)
