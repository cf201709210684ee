"""The axis of one parameter among several: its values as heights between 0 and 1, and its ticks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from numbers import Real
from typing import Any

import numpy as np
from matplotlib.ticker import LogLocator, MaxNLocator

from slipway.core.statistics.metrics import Array
from slipway.reports.plots._style import cut

MOST_STEPS, MOST_TICKS = 12, 5
# Values within this ratio look alike on both scales, and the linear scale is easier to read.
WIDE = 10


@dataclass(frozen=True)
class ParameterAxis:
    """The axis of one parameter.

    Attributes:
        name: The name of the parameter.
        heights: The height of each trial from 0 to 1, (trials,); NaN for a trial without the parameter.
        ticks: The text at a height.
        numeric: Whether the values are numbers.
    """

    name: str
    heights: Array
    ticks: Mapping[float, str]
    numeric: bool


def parameter_axis(name: str, settings: Sequence[Mapping[str, Any]]) -> ParameterAxis:
    """Return the axis of a parameter, given the parameters of each trial.

    Numbers lie on a linear scale, or on a logarithmic scale where it spreads the numbers more evenly, as for a log_uniform.
    Other values lie on steps.
    """
    if all(_is_number(each[name]) for each in settings if name in each):
        return _numeric(name, np.array([float(each.get(name, np.nan)) for each in settings]))
    return _steps(name, settings)


def written(value: object) -> str:
    """Write a parameter so that it fits beside an axis."""
    return f"{value:.3g}" if isinstance(value, float) and (value % 1 or abs(value) >= 1e6) else cut(f"{value}", 14)


def _is_number(value: object) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool) and isfinite(value)


def _numeric(name: str, values: Array) -> ParameterAxis:
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    if low == high:
        return ParameterAxis(name, np.where(np.isnan(values), np.nan, 0.5), {0.5: _tick(low)}, numeric=True)
    logarithmic = _spread_by_logarithm(values, low, high)
    ticks = np.array(_ticks(low, high, logarithmic))
    if logarithmic:
        values, places, low, high = np.log(values), np.log(ticks), np.log(low), np.log(high)
    else:
        places = ticks
    heights = {float((place - low) / (high - low)): _tick(tick) for place, tick in zip(places, ticks, strict=True)}
    return ParameterAxis(name, (values - low) / (high - low), heights, numeric=True)


def _spread_by_logarithm(values: Array, low: float, high: float) -> bool:
    """Return whether the median is nearer to the middle of the axis on a logarithmic scale."""
    if low <= 0 or high / low < WIDE:
        return False
    median = float(np.nanmedian(values))
    linear, logarithmic = (median - low) / (high - low), np.log(median / low) / np.log(high / low)
    return bool(abs(logarithmic - 0.5) < abs(linear - 0.5))


def _ticks(low: float, high: float, logarithmic: bool) -> list[float]:
    fine, coarse = LogLocator(10, (1.0, 2.0, 5.0)), LogLocator(10, (1.0,))
    for locator in (fine, coarse) if logarithmic else (MaxNLocator(MOST_TICKS - 1),):
        inside = [float(tick) for tick in locator.tick_values(low, high) if low <= tick <= high]
        if len(inside) <= MOST_TICKS:
            break
    return inside[:: -(-len(inside) // MOST_TICKS)] if len(inside) > 1 else [low, high]


def _tick(value: float) -> str:
    return f"{value:.0f}" if value.is_integer() and abs(value) < 1e6 else f"{value:.3g}"


def _steps(name: str, settings: Sequence[Mapping[str, Any]]) -> ParameterAxis:
    """Return the axis with numbers first, then other values by name; values that are equal as text share a step."""
    values = {written(each[name]): each[name] for each in settings if name in each}
    order = sorted(
        values, key=lambda text: (not _is_number(values[text]), values[text] if _is_number(values[text]) else 0, text)
    )
    place = {text: (i / (len(order) - 1) if len(order) > 1 else 0.5) for i, text in enumerate(order)}
    heights = np.array([place[written(each[name])] if name in each else np.nan for each in settings])
    shown = order[:: -(-len(order) // MOST_STEPS)]
    return ParameterAxis(name, heights, {place[text]: text for text in shown}, numeric=False)
