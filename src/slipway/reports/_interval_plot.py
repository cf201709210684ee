"""The plot of a value with its interval and the baselines: a strip of SVG on its own scale."""

from collections.abc import Mapping
from math import isfinite

from markupsafe import Markup, escape

from slipway.reports.words.spelling import number
from slipway.types import Interval

WIDTH, HEIGHT, MARGIN = 190, 34, 8


def interval_plot(interval: Interval, baselines: Mapping[str, float]) -> Markup:
    """Return the strip: the interval as a bar, the value as a dot, each baseline as a diamond, the ends written below.

    The strip is empty where the value is not finite. A baseline that is not finite is left out.
    """
    shown = {name: value for name, value in baselines.items() if isfinite(value)}
    if not isfinite(interval.value):
        return Markup("")
    low = interval.low if isfinite(interval.low) else interval.value
    high = interval.high if isfinite(interval.high) else interval.value
    ends = (min(low, interval.value, *shown.values()), max(high, interval.value, *shown.values()))
    marks = "".join(_diamond(_place(value, ends), f"{name}: {value:.4g}") for name, value in shown.items())
    left, right, middle = (_place(value, ends) for value in (low, high, interval.value))
    described = f"{interval.value:.4g}, 95 % interval {low:.4g} to {high:.4g}" + "".join(
        f"; {name} {value:.4g}" for name, value in shown.items()
    )
    return Markup(  # noqa: S704  numbers, and texts that are escaped
        f'<svg class="strip" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" role="img"'
        f' aria-label="{escape(described)}">'
        f'<line class="axis" x1="{MARGIN}" x2="{WIDTH - MARGIN}" y1="12" y2="12"/>{marks}'
        f'<rect class="range" x="{left:.1f}" y="8" width="{max(right - left, 1):.1f}" height="8" rx="2"/>'
        f'<circle class="value" cx="{middle:.1f}" cy="12" r="4.5"/>'
        f'<text x="{MARGIN}" y="31">{_label(ends[0])}</text>'
        f'<text x="{WIDTH - MARGIN}" y="31" text-anchor="end">{_label(ends[1])}</text></svg>'
    )


def _place(value: float, ends: tuple[float, float]) -> float:
    low, high = ends
    share = (value - low) / (high - low) if high > low else 0.5
    return MARGIN + share * (WIDTH - 2 * MARGIN)


def _diamond(x: float, title: str) -> str:
    return f'<path class="baseline" d="M{x:.1f} 6.5l5 5.5-5 5.5-5-5.5z"><title>{escape(title)}</title></path>'


def _label(end: float) -> str:
    """Write an end of the axis in three digits, and never with a power of ten."""
    return number(end) if abs(end) < 0.001 and end else f"{end:.3g}"
