import matplotlib
import numpy as np
import pytest
from matplotlib.figure import Figure

from slipway.core.spec import Costs
from slipway.core.statistics.costs import answered_from, cheapest_threshold, mean_cost
from slipway.core.statistics.metrics import Outcome
from slipway.reports.plots import cost_figure, png
from slipway.reports.plots._style import ACCENT

COSTS = Costs(false_positive=1, false_negative=5)


def answered(rows: int = 3000, rare: bool = False) -> Outcome:
    rng = np.random.default_rng(0)
    scores = rng.beta(1, 60, rows) if rare else rng.beta(2, 4, rows)
    truth = (rng.random(rows) < scores).astype(float)
    return Outcome(truth, (scores >= 0.5).astype(float), scores, True)


def title(figure: Figure) -> str:
    return figure.axes[0].get_title(loc="left")


def words(figure: Figure) -> str:
    return " ".join(text.get_text() for text in figure.findobj(matplotlib.text.Text)).replace("\n", " ")


def cost_at(outcome: Outcome, threshold: float) -> float:
    return mean_cost(answered_from(outcome, threshold), COSTS)(np.ones(outcome.rows))


def test_the_chosen_threshold_and_a_half_are_marked_at_what_they_cost():
    outcome = answered()
    threshold, cost = cheapest_threshold(outcome, COSTS)
    figure = cost_figure(outcome, COSTS, threshold)
    half = cost_at(outcome, 0.5)
    marks = {
        line.get_xdata()[0]: line.get_ydata()[0] for line in figure.axes[0].get_lines() if line.get_marker() == "o"
    }
    assert marks == pytest.approx({0.5: half, threshold: cost})
    assert title(figure) == f"Cost: {cost:.3f} a row, {1 - cost / half:.0%} less than with a threshold of 0.5"
    assert "A false alarm costs 1, a miss 5" in words(figure)
    always_yes, always_no = (outcome.truth == 0).mean(), 5 * outcome.truth.mean()
    assert f"always yes ({always_yes:.3f})" in words(figure) and f"always no ({always_no:.3f})" in words(figure)


def test_a_threshold_that_is_dearer_or_the_same_is_said_so():
    outcome = answered()
    assert "more than with" in title(cost_figure(outcome, COSTS, 0.9))
    assert title(cost_figure(outcome, COSTS, 0.5)).endswith("a row from 0.500 on, as from 0.5 on")


def test_the_curve_is_the_cost_at_each_threshold_and_stays_small():
    outcome = answered(100_000)
    figure = cost_figure(outcome, COSTS, 0.2)
    x, y = next(line for line in figure.axes[0].get_lines() if line.get_label() == "on the test rows").get_data()
    assert len(x) < 1100 and (np.diff(x) > 0).all()
    for place in (0, len(x) // 3, -1):
        assert y[place] == pytest.approx(cost_at(outcome, x[place]))
    assert len(png(figure)) < 300_000


def test_where_the_class_is_rare_the_axis_ends_early_and_a_half_lies_on_its_edge():
    figure = cost_figure(answered(rare=True), COSTS, 0.03)
    assert figure.axes[0].get_xlim()[1] < 0.25
    assert "at 0.5 (" in words(figure) and "beyond the frame" in words(figure)
    chosen = next(
        line for line in figure.axes[0].get_lines() if line.get_color() == ACCENT and line.get_marker() == "o"
    )
    assert chosen.get_xdata()[0] == 0.03


@pytest.mark.parametrize(
    "outcome",
    [
        Outcome(np.array([1.0]), np.array([1.0]), np.array([1.0]), True),
        Outcome(np.zeros(5), np.zeros(5), np.full(5, 0.3), True),
        Outcome(np.array([0.0, 1.0]), np.array([0.0, 1.0]), np.array([0.0, 1.0]), True),
    ],
)
def test_a_handful_of_rows_is_drawn(outcome):
    assert len(png(cost_figure(outcome, COSTS, 0.4))) > 1000


def test_without_probabilities_there_is_no_cost_along_them():
    outcome = answered()
    for other in (Outcome(outcome.truth, outcome.predicted), Outcome(outcome.truth, outcome.truth, outcome.scores * 9)):
        assert title(cost_figure(other, COSTS, 0.5)) == "Cost: not defined"
