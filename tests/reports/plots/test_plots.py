import threading
from io import BytesIO

import matplotlib
import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from slipway.core.statistics.calibration import calibration
from slipway.core.statistics.metrics import Outcome, measure
from slipway.core.tasks import Task
from slipway.core.trials import Trial
from slipway.reports.plots import evaluation_figures, history_figure, importance_figure, png
from slipway.reports.plots._style import BASELINE, SERIES, WINNER

pytestmark = pytest.mark.slow  # the file, more than each of its tests

MOST_BYTES = 300_000


def binary(rows: int = 2000, seed: int = 0, strength: float = 1.0) -> Outcome:
    rng = np.random.default_rng(seed)
    truth = (rng.random(rows) < 0.3).astype(float)
    scores = 1 / (1 + np.exp(-(strength * (truth - 0.5) * 2 + rng.normal(size=rows) - 0.8)))
    return Outcome(truth, (scores > 0.5).astype(float), scores, True)


def prior(outcome: Outcome) -> Outcome:
    return Outcome(outcome.truth, np.zeros(outcome.rows), np.full(outcome.rows, outcome.truth.mean()), True)


def multiclass(classes: int, rows: int = 3000) -> Outcome:
    rng = np.random.default_rng(1)
    truth = rng.integers(0, classes, rows)
    raw = np.exp(rng.normal(size=(rows, classes)))
    raw[np.arange(rows), truth] *= 4
    scores = raw / raw.sum(axis=1, keepdims=True)
    return Outcome(truth.astype(float), scores.argmax(axis=1).astype(float), scores, True)


def regression(rows: int, seed: int = 0) -> Outcome:
    rng = np.random.default_rng(seed)
    truth = rng.gamma(2, 8, rows) - 5
    return Outcome(truth, truth * 0.6 + 4 + rng.normal(0, 6, rows))


def binary_figures(outcome: Outcome, baselines: dict[str, Outcome] | None = None) -> dict[str, Figure]:
    return evaluation_figures(Task.BINARY, outcome, ["on time", "late"], baselines or {})


def regression_figures(outcome: Outcome, baselines: dict[str, Outcome] | None = None) -> dict[str, Figure]:
    return evaluation_figures(Task.REGRESSION, outcome, [], baselines or {}, target="delay", unit="minutes")


def title(figure: Figure) -> str:
    return figure.axes[0].get_title(loc="left")


def words(figure: Figure) -> str:
    """Everything that is written on a figure."""
    return "\n".join(text.get_text() for text in figure.findobj(matplotlib.text.Text))


def legend(figure: Figure) -> list[str]:
    """The entries of the legend, within the axes or at the foot of the figure."""
    return [text.get_text() for shown in figure.findobj(matplotlib.legend.Legend) for text in shown.get_texts()]


def assert_rendered(figure: Figure) -> None:
    image = png(figure)
    assert len(image) < MOST_BYTES
    drawn = np.asarray(Image.open(BytesIO(image)).convert("L"))
    assert 600 <= drawn.shape[1] <= 1200, "fits the artifact viewer"
    assert drawn.std() > 5, "something is drawn"


def test_a_binary_task_has_its_four_figures_in_reading_order():
    figures = binary_figures(binary())
    assert list(figures) == ["roc", "precision_recall", "calibration", "confusion_matrix"]
    for figure in figures.values():
        assert_rendered(figure)


def test_each_curve_shows_the_model_strong_and_each_baseline_thin_grey_and_dashed():
    outcome = binary()
    figures = binary_figures(outcome, {"prior": prior(outcome), "weaker": binary(strength=0.4)})
    for name in ("roc", "precision_recall"):
        chance, *baselines, model = figures[name].axes[0].get_lines()
        assert len(baselines) == 2 and len(figures[name].axes) == 1
        assert model.get_color() == WINNER and model.get_linewidth() > 2
        assert chance.get_linestyle() == ":"
        for line in baselines:
            assert line.get_color() == BASELINE and line.get_linewidth() < 2 and line.get_linestyle() == "--"


def test_curves_carry_the_very_values_of_the_metrics():
    outcome = binary()
    figures, values = binary_figures(outcome, {"prior": prior(outcome)}), measure(Task.BINARY, outcome)
    assert title(figures["roc"]) == f"ROC curve: area {values['roc_auc']:.3f}"
    assert f"model ({values['roc_auc']:.3f})" in legend(figures["roc"])
    assert "prior (0.500)" in legend(figures["roc"])
    assert title(figures["precision_recall"]).endswith(f"{values['average_precision']:.3f}")
    assert title(figures["confusion_matrix"]) == f"Confusion matrix: {values['accuracy']:.1%} right"


def test_a_prediction_without_scores_is_a_point():
    outcome = binary()
    rule = Outcome(outcome.truth, outcome.predicted)
    roc = binary_figures(outcome, {"rule": rule})["roc"]
    point = next(line for line in roc.axes[0].get_lines() if "rule" in str(line.get_label()))
    found = outcome.predicted[outcome.truth == 1].mean()
    assert len(point.get_xdata()) == 1 and point.get_ydata()[0] == pytest.approx(found)
    assert title(binary_figures(rule)["roc"]) == "ROC curve"


def test_scores_that_are_no_probabilities_have_no_calibration():
    outcome = binary()
    margin = Outcome(outcome.truth, outcome.predicted, outcome.scores * 10 - 5, probabilistic=False)
    assert "calibration" not in binary_figures(margin)
    assert "margin" not in words(binary_figures(outcome, {"margin": margin})["calibration"])


def test_calibration_has_a_curve_and_the_counts_of_all_rows_below_it():
    figure = binary_figures(binary())["calibration"]
    curve, counts = figure.axes
    assert sum(bar.get_height() for bar in counts.patches) == 2000
    assert "Predicted probability" in counts.get_xlabel() and counts.get_ylabel() == "Rows"
    assert curve.get_xlim()[1] == pytest.approx(1.01)


def test_the_calibration_figure_says_the_number_of_the_card():
    outcome = binary()
    error = calibration(Task.BINARY, outcome).error
    assert title(binary_figures(outcome)["calibration"]) == f"Calibration: {error:.3f} off on average"


def test_calibration_of_rare_classes_looks_closer():
    rng = np.random.default_rng(2)
    scores = rng.beta(1, 60, 5000)
    truth = (rng.random(5000) < scores).astype(float)
    figure = binary_figures(Outcome(truth, np.zeros(5000), scores, True))["calibration"]
    assert figure.axes[0].get_xlim()[1] < 0.35


@pytest.mark.parametrize("only", [0.0, 1.0])
def test_one_class_alone_draws_a_figure_that_says_so(only):
    rng = np.random.default_rng(0)
    outcome = Outcome(np.full(40, only), np.full(40, only), rng.random(40), True)
    figures = binary_figures(outcome, {"prior": prior(outcome)})
    assert "not defined" in title(figures["roc"])
    assert "one class" in words(figures["roc"])
    assert ("not defined" in title(figures["precision_recall"])) == (only == 0.0)
    for figure in figures.values():
        png(figure)


@pytest.mark.parametrize("rows", [0, 1, 2])
@pytest.mark.parametrize("task", list(Task))
def test_a_handful_of_rows_or_none_is_drawn_or_said(task, rows):
    outcome = {
        Task.BINARY: Outcome(np.arange(rows) % 2.0, np.zeros(rows), np.full(rows, 0.5), True),
        Task.MULTICLASS: Outcome(np.arange(rows) % 3.0, np.zeros(rows), np.full((rows, 3), 1 / 3), True),
        Task.REGRESSION: Outcome(np.arange(rows, dtype=float), np.zeros(rows)),
    }[task]
    for figure in evaluation_figures(task, outcome, ["a", "b", "c"], {"same": outcome}).values():
        assert len(png(figure)) > 1000


def test_rows_that_are_not_finite_are_left_out_and_the_figure_states_what_it_shows():
    outcome = binary(100)
    scores = outcome.scores.copy()
    scores[:7] = np.nan
    figures = binary_figures(Outcome(outcome.truth, outcome.predicted, scores, True))
    assert all("93 rows" in words(figure) for figure in figures.values())
    truth = regression(100)
    truth.predicted[:4] = np.inf
    assert all("96 rows" in words(figure) for figure in regression_figures(truth).values())


def test_a_multiclass_task_draws_each_class_and_their_mean():
    outcome = multiclass(4)
    figures = evaluation_figures(Task.MULTICLASS, outcome, ["a", "b", "c", "d"], {"same": outcome})
    assert list(figures) == ["confusion_matrix", "roc"]
    lines = figures["roc"].axes[0].get_lines()
    assert len(lines) == 1 + 1 + 4 + 1  # chance, baseline, classes, mean
    assert lines[-1].get_color() == WINNER
    assert len({line.get_color() for line in lines[2:]}) == 5
    assert title(figures["roc"]).endswith(f"{measure(Task.MULTICLASS, outcome)['roc_auc']:.3f}")
    for figure in figures.values():
        assert_rendered(figure)


def test_many_classes_keep_to_the_most_frequent_curves_and_to_colours_without_numbers():
    outcome = multiclass(60)
    figures = evaluation_figures(Task.MULTICLASS, outcome, [f"class {code}" for code in range(60)], {})
    assert len(figures["roc"].axes[0].get_lines()) == 1 + (len(SERIES) - 1) + 1
    assert "the 7 most frequent of 60 classes" in words(figures["roc"])
    assert not figures["confusion_matrix"].axes[0].texts[1:], "only the subtitle"
    assert len(figures["confusion_matrix"].axes[0].get_xticks()) <= 40
    for figure in figures.values():
        assert_rendered(figure)


def test_a_class_that_never_came_does_not_break_the_figures():
    outcome = multiclass(4)
    keep = outcome.truth != 3
    seen = Outcome(outcome.truth[keep], outcome.predicted[keep], outcome.scores[keep], True)
    figures = evaluation_figures(Task.MULTICLASS, seen, ["a", "b", "c", "d"], {})
    assert "nan" not in words(figures["confusion_matrix"]) and "nan" not in title(figures["roc"])
    png(figures["roc"])


def test_a_regression_has_its_two_figures_with_units():
    figures = regression_figures(regression(5000), {"mean": Outcome(np.arange(9.0), np.full(9, 4.0))})
    assert list(figures) == ["residuals", "predicted_vs_actual"]
    assert figures["residuals"].axes[0].get_xlabel() == "Predicted delay (minutes)"
    assert figures["residuals"].axes[0].get_ylabel() == "Actual minus predicted (minutes)"
    assert figures["predicted_vs_actual"].axes[0].get_xlabel() == "Actual delay (minutes)"
    assert "mean, residuals" in legend(figures["residuals"])
    for figure in figures.values():
        assert_rendered(figure)


def test_residual_titles_state_the_median_error_and_the_determination():
    outcome = regression(5000)
    figures = regression_figures(outcome)
    half = np.median(np.abs(outcome.truth - outcome.predicted))
    assert title(figures["residuals"]) == f"Residuals: half of all rows within ±{half:.3g} minutes"
    assert title(figures["predicted_vs_actual"]).endswith(f"{measure(Task.REGRESSION, outcome)['r2']:.3f}")


def test_outliers_are_left_out_of_the_frame_and_counted():
    outcome = regression(5000)
    outcome.truth[0] = 1e9
    figures = regression_figures(outcome)
    assert figures["predicted_vs_actual"].axes[0].get_xlim()[1] < 1000
    assert "beyond the frame" in words(figures["residuals"])
    assert "beyond the frame" not in words(regression_figures(regression(100))["residuals"])


def test_few_rows_are_points_and_many_are_counted_in_cells_with_a_scale():
    few, many = regression_figures(regression(300)), regression_figures(regression(5000))
    for name, panels in (("residuals", 2), ("predicted_vs_actual", 1)):
        assert len(few[name].axes) == panels
        assert len(many[name].axes) == panels + 1
        assert max(len(line.get_xdata()) for line in few[name].axes[0].get_lines()) == 300
        assert max(len(line.get_xdata()) for line in many[name].axes[0].get_lines()) < 30
        assert many[name].axes[0].collections[0].get_array().sum() == pytest.approx(5000, rel=0.02)


def test_a_long_subtitle_does_not_squeeze_the_axes():
    outcome = regression(150_000)
    figure = evaluation_figures(Task.REGRESSION, outcome, [], {}, target="delay " * 9, unit="minutes " * 3)["residuals"]
    png(figure)
    main, beside = (axes.get_position() for axes in figure.axes[:2])
    assert main.width > 0.5
    assert main.x1 < beside.x0


def test_a_constant_prediction_and_a_constant_truth_are_drawn():
    for figure in regression_figures(Outcome(np.full(3000, 7.0), np.full(3000, 7.0))).values():
        assert len(png(figure)) > 1000


def test_two_hundred_thousand_rows_stay_small():
    rows = 200_000
    outcome = binary(rows)
    figures = {**binary_figures(outcome, {"prior": prior(outcome)})}
    figures |= regression_figures(regression(rows), {"other": regression(rows, seed=1)})
    sizes = {name: len(png(figure)) for name, figure in figures.items()}
    assert max(sizes.values()) < MOST_BYTES, sizes
    assert all(len(line.get_xdata()) < 1100 for line in figures["roc"].axes[0].get_lines())


def test_names_are_drawn_as_they_stand():
    hostile = r"_$\nosuch{$ </script>"  # as a formula it cannot be read, as a label it would be dropped
    outcome = binary()
    figures = evaluation_figures(Task.BINARY, outcome, ["a", hostile], {hostile: binary(strength=0.2)})
    for figure in figures.values():
        png(figure)
    entry = next(text for text in legend(figures["roc"]) if "nosuch" in text)
    assert entry.replace(r"\$", "$").startswith(" " + hostile)
    assert rf"'{hostile}'" in words(figures["precision_recall"]).replace(r"\$", "$")


def test_long_names_are_cut():
    figure = importance_figure(["x" * 400], [0.1], [0.01])
    assert_rendered(figure)
    assert "x" * 31 + "…" in words(figure) and "x" * 33 not in words(figure)


def test_importances_show_the_twenty_largest_downwards_with_their_spread():
    names, mean = [f"column_{i}" for i in range(30)], np.linspace(-0.01, 0.28, 30)
    axes = importance_figure(names, mean, np.full(30, 0.02), metric="roc_auc").axes[0]
    assert [tick.get_text() for tick in axes.get_yticklabels()] == names[:9:-1]
    assert [bar.get_width() for bar in axes.patches] == pytest.approx(mean[:9:-1])
    assert axes.yaxis_inverted() and axes.get_xlabel() == "Loss of roc_auc"
    assert "the 20 largest of 30 columns" in words(axes.figure).replace("\n", " ")


def test_importances_that_are_not_defined_are_left_out():
    axes = importance_figure(["a", "b"], [np.nan, 0.1], [0.1, np.nan]).axes[0]
    assert [tick.get_text() for tick in axes.get_yticklabels()] == ["b"]
    assert "none" in title(importance_figure([], [], []))


def trials(count: int, *, failed: tuple[int, ...] = ()) -> list[Trial]:
    return [
        Trial(i, ("boosting", "logistic")[i % 2], None if i in failed else 0.70 + 0.001 * ((i * 7) % 11), {})
        for i in range(count)
    ]


def test_the_history_shows_candidates_the_best_so_far_and_failures():
    figure = history_figure(trials(20, failed=(3, 4)), "roc_auc", baselines={"prior": 0.5, "broken": np.nan})
    said = legend(figure)
    assert {"boosting", "logistic", "best so far", "failed (2)"} <= set(said)
    assert any(entry.startswith("prior (0.500") for entry in said) and not any("broken" in entry for entry in said)
    step = next(line for line in figure.axes[0].get_lines() if line.get_label() == "best so far")
    heights = np.asarray(step.get_ydata())
    assert (np.diff(heights) >= 0).all() and heights[-1] == pytest.approx(0.71)
    assert title(figure) == "Search: best roc_auc 0.710 in trial 14"
    assert_rendered(figure)


def test_the_history_of_a_metric_that_is_lower_better_falls():
    figure = history_figure(trials(20), "rmse")
    step = next(line for line in figure.axes[0].get_lines() if line.get_label() == "best so far")
    assert (np.diff(np.asarray(step.get_ydata())) <= 0).all()
    assert "lower is better" in words(figure)


def test_trials_that_were_let_go_are_small_dots_that_are_never_the_best():
    early = Trial(20, "boosting", 0.99, {}, share=0.1)
    figure = history_figure([*trials(20), early], "roc_auc")
    assert title(figure) == "Search: best roc_auc 0.710 in trial 3"
    assert "let go early (1)" in legend(figure) and "21 trials, 0 failed, 1 let go early" in words(figure)
    assert figure.axes[0].get_ylim()[1] < 0.8


def test_a_search_without_failures_marks_none():
    figure = history_figure(trials(5), "roc_auc")
    assert not any("failed" in entry for entry in legend(figure))
    assert "5 trials, 0 failed" in words(figure)


def test_hopeless_trials_do_not_flatten_the_others_and_are_marked_at_the_edge():
    hopeless = Trial(20, "boosting", 0.01, {})
    axes = history_figure([*trials(20), hopeless], "roc_auc").axes[0]
    assert axes.get_ylim()[0] > 0.6
    edge = [line for line in axes.get_lines() if line.get_marker() == "v" and len(line.get_xdata())]
    assert [list(line.get_xdata()) for line in edge] == [[20]]


@pytest.mark.parametrize("count", [0, 1, 3])
def test_a_search_in_which_all_failed_says_so(count):
    figure = history_figure(trials(count, failed=(0, 1, 2)), "roc_auc")
    assert title(figure) == "Search: no trial ended with a value"
    assert f"{count} of {count}" in words(figure)


def test_a_search_of_one_trial_is_drawn():
    assert_rendered(history_figure(trials(1), "roc_auc", baselines={"prior": 0.5}))


def test_figures_leave_matplotlib_as_they_found_it():
    before = dict(matplotlib.rcParams)
    outcome = binary()
    for figure in binary_figures(outcome, {"prior": prior(outcome)}).values():
        png(figure)
    assert dict(matplotlib.rcParams) == before


def test_figures_can_be_made_in_threads_and_are_the_same_bytes_each_time():
    made: list[bytes] = []
    threads = [
        threading.Thread(target=lambda: made.append(png(binary_figures(binary(500))["calibration"]))) for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 3 and len(set(made)) == 1
