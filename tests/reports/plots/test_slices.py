import matplotlib
import pytest
from matplotlib.figure import Figure

from slipway.core.statistics.slices import Slice
from slipway.reports.plots import png, slices_figure
from slipway.reports.plots._style import ACCENT
from slipway.types import Interval

WHOLE = Interval(0.72, 0.71, 0.73)


def slice_of(column: str, value: str, at: float, *, off: float = 0.0, rows: int = 500) -> Slice:
    difference = Interval(off, off - 0.02, off + 0.02)
    return Slice(column, value, rows, Interval(at, at - 0.02, at + 0.02), difference=difference)


def title(figure: Figure) -> str:
    return figure.axes[0].get_title(loc="left")


def words(figure: Figure) -> str:
    return " ".join(text.get_text() for text in figure.findobj(matplotlib.text.Text)).replace("\n", " ")


def named(figure: Figure) -> list[str]:
    return [tick.get_text() for tick in figure.axes[0].get_yticklabels()]


def dots(figure: Figure, colour: str) -> list[float]:
    return [
        round(float(x), 6)
        for bars in figure.axes[0].containers
        if bars.lines[0].get_color() == colour
        for x in bars.lines[0].get_xdata()
    ]


def test_slices_stand_by_column_in_their_order_with_their_rows():
    figure = slices_figure([slice_of("port", "b", 0.7), slice_of("port", "a", 0.71), slice_of("day", "1", 0.73, rows=1234)],
                           WHOLE, "roc_auc")  # fmt: skip
    assert named(figure) == ["b", "a", "1"]
    for said in ("port", "day", "1,234", "all rows (0.720)", "higher is better"):
        assert said in words(figure)
    heights = figure.axes[0].get_yticks()
    assert heights[2] - heights[1] > heights[1] - heights[0] == 1
    assert figure.axes[0].yaxis_inverted()


def test_those_worse_beyond_noise_stand_out_and_the_worst_is_named():
    slices = [slice_of("port", "a", 0.6, off=-0.1), slice_of("port", "b", 0.65, off=-0.05), slice_of("port", "c", 0.71)]
    figure = slices_figure(slices, WHOLE, "roc_auc")
    assert dots(figure, ACCENT) == [0.6, 0.65]
    assert title(figure) == "Slices: 2 of 3 are worse than the rest, port = a most"
    assert title(slices_figure(slices[1:], WHOLE, "roc_auc")) == "Slices: 1 of 2 is worse than the rest, port = b"
    assert title(slices_figure(slices[2:], WHOLE, "roc_auc")) == "Slices: none of 1 is worse than the rest beyond noise"


def test_of_many_slices_the_worst_forty_are_drawn_and_the_rest_counted():
    slices = [slice_of("hour", str(i), 0.7, off=(i % 50) / 1000 - 0.01) for i in range(60)]
    figure = slices_figure(slices, WHOLE, "roc_auc")
    kept = named(figure)
    assert len(kept) == 40 and kept == sorted(kept, key=int)
    assert {"0", "1", "50", "59"} <= set(kept) and "49" not in kept
    assert "the 40 worst of 60 slices" in words(figure)


def test_what_could_not_be_measured_is_counted():
    slices = [slice_of("port", "a", 0.7), Slice("port", "b", 3, None, "fewer than 30 rows")]
    figure = slices_figure(slices, WHOLE, "roc_auc")
    assert named(figure) == ["a"] and "1 more cannot be measured" in words(figure)
    assert (
        title(slices_figure(slices[1:], WHOLE, "roc_auc"))
        == title(slices_figure([], WHOLE, "roc_auc"))
        == "Slices: none"
    )


def test_a_slice_that_cannot_be_compared_is_drawn_as_such():
    alone = Slice("port", "a", 500, Interval(0.7, 0.6, 0.8))
    figure = slices_figure([alone], WHOLE, "log_loss")
    assert "not compared" in words(figure) and "lower is better" in words(figure)


def test_a_wide_interval_of_a_small_slice_does_not_flatten_the_others():
    slices = [slice_of("port", name, 0.7) for name in "abcdefgh"]
    wide = Slice("port", "z", 30, Interval(0.7, 0.01, 0.99), difference=Interval(0, -1, 1))
    low, high = slices_figure([*slices, wide], WHOLE, "roc_auc").axes[0].get_xlim()
    assert high - low < 0.3


@pytest.mark.parametrize("value", ["x" * 300, r"_$\nosuch{$ </script>", ""])
def test_any_name_is_drawn_as_it_stands(value):
    figure = slices_figure([slice_of(value, value, 0.5, off=-1)], Interval(0.5, float("nan"), float("nan")), "roc_auc")
    assert len(png(figure)) > 1000
