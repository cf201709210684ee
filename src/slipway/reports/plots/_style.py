"""The visual style of every figure, without matplotlib's global state.

The colours are those of Okabe and Ito, Color Universal Design (2008): people with all common kinds of colour vision can tell
them apart.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import cycle
from textwrap import fill
from typing import Any, Literal, TypeVar

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

INK, MUTED, GRID, PAPER = "#1d2733", "#5d6b7a", "#e7ebf0", "#ffffff"
WINNER, ACCENT, BASELINE = "#0072b2", "#d55e00", "#7c8896"
SERIES = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#6a5acd", "#1d2733")
DASHES: tuple[Any, ...] = ((0, (5, 2.5)), (0, (1.5, 2)), (0, (5, 2, 1.2, 2)), (0, (9, 3)))
DENSITY = LinearSegmentedColormap.from_list("slipway", ("#e3eff7", "#8dc0de", "#2f8abf", "#0072b2", "#053a5c"))
SHARE = LinearSegmentedColormap.from_list("slipway_share", ("#ffffff", "#cfe3f0", "#6fb0d6", "#0072b2", "#04456d"))
WIDTH, HEIGHT, DPI = 7.2, 5.0, 120
V = TypeVar("V")
Corner = Literal["upper left", "upper right", "lower right"]


def canvas(*, width: float = WIDTH, height: float = HEIGHT, **grid: Any) -> tuple[Figure, list[Axes]]:
    """Return an empty figure and its axes in reading order; width and height in inches, `grid` as `Figure.subplots`."""
    layout = ConstrainedLayoutEngine(w_pad=0.12, h_pad=0.1)
    figure = Figure(figsize=(width, height), dpi=DPI, layout=layout, facecolor=PAPER)
    axes: list[Axes] = list(np.atleast_1d(np.asarray(figure.subplots(**grid))).ravel())
    for axis in axes:
        _calm(axis)
    return figure, axes


def _calm(axes: Axes) -> None:
    axes.set_facecolor(PAPER)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color("#b8c1cc")
    axes.tick_params(colors=MUTED, labelsize=9, length=3, width=0.8)
    axes.grid(color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)


def head(axes: Axes, title: str, subtitle: str, *, wrap: int = 100) -> None:
    """Put a title above the axes, flush left, and under it a subtitle on how to read the figure."""
    below = fill(plain(subtitle), wrap)
    axes.set_title(
        plain(title), loc="left", color=INK, fontsize=13, fontweight="bold", pad=13 + 12 * len(below.split("\n"))
    )
    text = axes.annotate(
        below, (0, 1), (0, 8), "axes fraction", textcoords="offset points", color=MUTED, fontsize=9, linespacing=1.25
    )
    text.set_in_layout(False)  # the title's pad holds its height; its width must not move the axes


def label(axes: Axes, x: str = "", y: str = "") -> None:
    """Name the axes."""
    axes.set_xlabel(plain(x), color=INK, fontsize=10)
    axes.set_ylabel(plain(y), color=INK, fontsize=10)


def legend(axes: Axes, where: Corner, *beside: Axes, **more: Any) -> None:
    """Draw a legend of the labelled artists on these axes and on the axes `beside`, if there are any."""
    handles = [handle for each in (axes, *beside) for handle in each.get_legend_handles_labels()[0]]
    if handles:
        axes.legend(
            handles=handles,
            loc=where,
            fontsize=9,
            labelcolor=INK,
            frameon=True,
            framealpha=0.9,
            edgecolor="none",
            borderpad=0.3,
            **more,
        )


def legend_below(axes: Axes, columns: int) -> None:
    """Draw a legend of the labelled artists at the foot of the figure, however high the axes are."""
    handles, _ = axes.get_legend_handles_labels()
    if isinstance(axes.figure, Figure):
        axes.figure.legend(
            handles=handles, loc="outside lower left", fontsize=9, labelcolor=INK, frameon=False, ncols=columns
        )


def dashed(baselines: Mapping[str, V]) -> Iterator[tuple[Any, str, V]]:
    """Yield a line style, the name and the value of each baseline: baselines are grey, so dashes tell them apart."""
    for style, (name, value) in zip(cycle(DASHES), baselines.items(), strict=False):
        yield style, name, value


def unit_square(axes: Axes) -> None:
    """Show 0 to 1 on both axes, with room for a line that runs along an end."""
    axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.02))


def notice(title: str, sentence: str) -> Figure:
    """Return a figure that says why there is nothing to draw."""
    figure, (axes,) = canvas(height=2.6)
    axes.set_axis_off()
    axes.set_title(plain(title), loc="left", color=INK, fontsize=13, fontweight="bold")
    axes.text(0, 0.97, fill(plain(sentence), 90), color=MUTED, fontsize=10, va="top", transform=axes.transAxes)
    return figure


def cut(text: str, most: int) -> str:
    """Return text in one line, cut with an ellipsis where the text is longer than `most`."""
    text = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def plain(text: str, most: int = 200) -> str:
    """Return text in a form that matplotlib draws literally; `head` and `label` do so themselves.

    A dollar sign would start a formula, and a leading underscore would drop the text from a legend.
    """
    text = cut(text, most)
    return (" " if text.startswith("_") else "") + text.replace("$", r"\$")


def short(names: Sequence[str], most: int = 24) -> list[str]:
    """Return each name ready to be drawn, cut where the name is too long to stand beside an axis."""
    return [plain(name, most) for name in names]


def decimals(value: float) -> str:
    """Write a value so that it reads at a glance: three decimals below 10, fewer above, none where it is huge."""
    if not np.isfinite(value):
        return "not defined"
    size = abs(value)
    if size and size < 0.001:
        return f"{value:.2g}"
    return f"{value:.3f}" if size < 10 else f"{value:.1f}" if size < 1000 else f"{value:,.0f}"
