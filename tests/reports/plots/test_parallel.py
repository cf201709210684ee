import matplotlib
import numpy as np
import pytest
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from slipway.core.trials import Trial
from slipway.reports.plots import parallel_figure, png
from slipway.reports.plots._style import ACCENT


def boosting(number: int, score: float | None = None, **more) -> Trial:
    rng = np.random.default_rng(number)
    rate = float(np.exp(rng.uniform(np.log(0.01), np.log(0.5))))
    params = {"learning_rate": rate, "max_iter": int(rng.integers(50, 500))}
    return Trial(number, "boosting", 0.8 - abs(np.log(rate / 0.07)) / 50 if score is None else score, params, **more)


def logistic(number: int) -> Trial:
    rng = np.random.default_rng(number)
    params = {"C": float(rng.uniform(0.1, 1)), "penalty": ["l1", "l2"][number % 2]}
    return Trial(number, "logistic", 0.7 + 0.01 * float(rng.random()), params)


def title(figure: Figure) -> str:
    return figure.axes[0].get_title(loc="left")


def words(figure: Figure) -> str:
    return " ".join(text.get_text() for text in figure.findobj(matplotlib.text.Text)).replace("\n", " ")


def lines(figure: Figure) -> int:
    return sum(len(drawn.get_segments()) for drawn in figure.findobj(LineCollection))


def test_each_candidate_has_a_panel_with_the_axes_of_its_own_parameters_the_better_first():
    figure = parallel_figure([*map(logistic, range(20)), *map(boosting, range(20, 40))], "roc_auc")
    first, second = (" ".join(text.get_text() for text in axes.texts) for axes in figure.axes)
    assert "boosting  (20 trials)" in first and "learning_rate" in first and "max_iter" in first
    assert "logistic  (20 trials)" in second and "penalty" in second and "learning_rate" not in second
    assert "roc_auc" in first and "roc_auc" in second
    assert lines(figure) == 40


def test_the_title_says_what_the_best_have_in_common():
    figure = parallel_figure([*map(logistic, range(20)), *map(boosting, range(20, 60))], "roc_auc")
    assert title(figure).startswith("Search: the best 5 trials are boosting with learning_rate 0.0")
    assert title(parallel_figure([*map(boosting, range(40))], "roc_auc")).startswith(
        "Search: the best 5 of 40 trials have learning_rate 0.0"
    )


def test_best_trials_of_several_candidates_are_counted_in_the_title():
    trials = [Trial(i, "ab"[i % 2], 1 - i / 100, {"p": i}) for i in range(20)]
    assert title(parallel_figure(trials, "roc_auc")) == "Search: the best 5 trials are 3 of a, 2 of b"


def test_best_trials_that_lie_everywhere_have_nothing_in_common():
    trials = [Trial(i, "a", 1 - i / 100, {"p": (i * 7) % 10}) for i in range(20)]
    assert title(parallel_figure(trials, "roc_auc")) == "Search: the best 5 of 20 trials agree on no parameter"


@pytest.mark.parametrize(
    ("count", "metric", "best"),
    [
        (24, "roc_auc", {19, 20, 21, 22, 23}),
        (24, "log_loss", {0, 1, 2, 3, 4}),
        (9, "roc_auc", {7, 8}),
        (3, "roc_auc", {2}),
    ],
)
def test_the_best_five_or_the_best_quarter_of_fewer_stand_out(count, metric, best):
    trials = [Trial(i, "a", i / 100, {"p": float(i)}) for i in range(count)]
    (axes,) = parallel_figure(trials, metric).axes
    orange = [line for line in axes.get_lines() if line.get_color() == ACCENT]
    assert {round(line.get_ydata()[0] * (count - 1)) for line in orange} == best
    assert max(line.get_ydata()[-1] for line in orange) == 1, "the best score is at the top"


def test_failed_and_incomplete_trials_are_counted_and_not_drawn():
    trials = [*map(boosting, range(10)), Trial(10, "boosting", None, {"max_iter": 3}), boosting(11, 0.99, share=0.3)]
    figure = parallel_figure(trials, "roc_auc")
    assert lines(figure) == 10
    assert "not drawn: 1 failed, 1 let go early" in words(figure)
    assert "not drawn" not in words(parallel_figure(trials[:10], "roc_auc"))


def test_a_hopeless_trial_lies_at_the_foot_and_does_not_flatten_the_others():
    figure = parallel_figure([*map(boosting, range(30)), boosting(30, 0.01)], "roc_auc")
    ticks = [text.get_text() for text in figure.axes[0].texts if text.get_text().startswith("≤")]
    assert len(ticks) == 1 and float(ticks[0].removeprefix("≤ ")) > 0.6


def test_candidates_beyond_the_fifth_and_those_without_parameters_are_counted():
    trials = [Trial(i, f"candidate {i % 7}", 1 - i / 100, {"p": i}) for i in range(14)]
    figure = parallel_figure([*trials, Trial(14, "fixed", 0.99, {})], "roc_auc")
    assert len(figure.axes) == 5 and lines(figure) == 10
    assert "not drawn: 5 of other candidates or without parameters" in words(figure)


def test_many_parameters_are_cut_to_what_fits():
    trials = [Trial(i, "c", i / 10, {f"parameter_{k}": (i * k) % 7 for k in range(12)}) for i in range(9)]
    figure = parallel_figure(trials, "roc_auc")
    assert "4 more parameters" in words(figure) and "parameter_7" in words(figure)
    assert "parameter_8" not in words(figure)


@pytest.mark.parametrize(
    "trials",
    [
        [],
        [Trial(0, "a", None, {"p": 1})],
        [Trial(0, "a", 0.5, {"p": 1}, share=0.1)],
        [Trial(0, "a", 0.5, {})],
        [Trial(0, "a", 0.5, {"p": 1})],
        [Trial(i, "a", 0.5, {"p": "same"}) for i in range(12)],
        [Trial(i, "a", float("nan") if i else 0.1, {"p": [1, 2]}) for i in range(3)],
        [Trial(i, r"_$\nosuch{$", 0.5 + i / 100, {r"$\x{_": r"\y{$", "q": None}) for i in range(20)],
        [Trial(i, "a", i / 10, {"p": i} if i % 2 else {"q": i}) for i in range(12)],
    ],
)
def test_any_search_is_drawn_or_said(trials):
    figure = parallel_figure(trials, "roc_auc")
    assert title(figure).startswith("Search")
    assert len(png(figure)) > 1000


def test_five_hundred_trials_are_drawn_thin_and_stay_within_a_megabyte():
    figure = parallel_figure([*map(boosting, range(250)), *map(logistic, range(250, 500))], "roc_auc")
    assert lines(figure) == 500
    assert len(png(figure)) < 1_000_000
