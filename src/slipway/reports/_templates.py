"""The templates, and how values are written in them."""

import re
from base64 import b64encode
from datetime import UTC, datetime
from functools import cache
from math import isfinite
from urllib.parse import urlsplit

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from slipway.core.metrics import METRICS
from slipway.reports._interval_plot import interval_plot
from slipway.types import Interval

_TITLES = {
    "roc": "ROC curve",
    "precision_recall": "Precision and recall",
    "calibration": "Calibration",
    "confusion_matrix": "Confusion matrix",
    "residuals": "Residuals",
    "predicted_vs_actual": "Predicted and actual",
    "importance": "Importance of the columns",
}


def render_html(template: str, **values: object) -> str:
    """Render a template in which every value is escaped for HTML."""
    return _html().get_template(template).render(values)


def render_markdown(template: str, **values: object) -> str:
    """Render a template in which every value is escaped for Markdown, tables included."""
    return re.sub(r"\n{3,}", "\n\n", _markdown().get_template(template).render(values)).strip() + "\n"


@cache
def _html() -> Environment:
    environment = _environment(autoescape=True)
    environment.filters.update(data_uri=data_uri, web=web)
    environment.globals.update(interval_plot=interval_plot)
    return environment


@cache
def _markdown() -> Environment:
    return _environment(autoescape=False, finalize=markdown_text)


def _environment(**options: object) -> Environment:
    environment = Environment(  # noqa: S701  each caller says how values are escaped
        loader=PackageLoader("slipway.reports"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        **options,  # type: ignore[arg-type]
    )
    environment.filters.update(number=number, interval=interval, percent=percent, moment=moment, duration=duration)
    environment.filters.update(direction=direction, parameter=parameter, titled=titled, beats=beats)
    return environment


def number(value: object) -> str:
    """Write a number: whole ones with thousands, others with as many decimals as their size deserves."""
    if value is None:
        return "–"
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:{_spelling(value)}}" if isfinite(value) else "not defined"


def interval(bounds: Interval) -> str:
    """Write both ends of an interval with as many decimals as its value gets."""
    if not (isfinite(bounds.low) and isfinite(bounds.high)):
        return "not defined"
    spelling = _spelling(bounds.value)
    return f"{bounds.low:{spelling}} to {bounds.high:{spelling}}"


def parameter(value: object) -> str:
    """Write a parameter as it could be set again: six digits are enough for any of them."""
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _spelling(value: float) -> str:
    size = abs(value)
    if size and size < 0.001:
        return ".3g"
    return ".4f" if size < 10 else ",.2f" if size < 1000 else ",.0f"


def percent(share: float | None) -> str:
    """Write a share, 0 to 1, as a percentage that is 0 or 100 only where it is exactly that."""
    if share is None or not isfinite(share):
        return "–"
    if share in (0, 1):
        return f"{share:.0%}"
    return "<0.1%" if share < 0.001 else ">99.9%" if share > 0.999 else f"{share:.1%}"


def moment(when: datetime | None) -> str:
    """Write a time to the minute, in UTC where it says its zone."""
    if when is None:
        return "–"
    return f"{when.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if when.tzinfo else f"{when:%Y-%m-%d %H:%M}"


def duration(seconds: float | None) -> str:
    """Write a duration in the unit that suits its size."""
    if seconds is None or not isfinite(seconds):
        return "–"
    if seconds < 120:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def direction(metric: str) -> str:
    """Return which way a metric is better, empty for one that core does not know."""
    return (
        "" if metric not in METRICS else "higher is better" if METRICS[metric].greater_is_better else "lower is better"
    )


def beats(baseline: float | None, value: float, metric: str) -> bool:
    """Whether a baseline is as good as a value of a known metric, or better; one that is not defined is not."""
    return baseline is not None and metric in METRICS and METRICS[metric].better(baseline, value) >= 0


def titled(name: str) -> str:
    """Return the title of a figure by its name."""
    return _TITLES.get(name) or name.replace("_", " ").capitalize()


def data_uri(png: bytes) -> str:
    """Return the address of an image that is its own content."""
    return f"data:image/png;base64,{b64encode(png).decode()}"


def web(address: str) -> str:
    """Return an address that may become a link, empty for any that is not http or https."""
    return address if urlsplit(address.strip()).scheme in ("http", "https") else ""


def markdown_text(value: object) -> object:
    """Escape what Markdown or the HTML inside of it would act on; a value stays in its line and in its cell.

    Underscores inside of a word are left as they are: GitHub-flavoured Markdown does so too, and names stay readable.
    """
    if isinstance(value, Markup):
        return value
    text = " ".join(str(value).split()).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    text = re.sub(r"([\\`*\[\]|~$])", r"\\\1", text)
    text = re.sub(r"(?<![^\W_])_|_(?![^\W_])", r"\_", text)
    return re.sub(r"^(#+|[-+=])(?=\s|$)|^(\d+)(?=[.)]\s)", _disarmed, text)


def _disarmed(found: re.Match[str]) -> str:
    """The start of a heading, a list or a rule, as plain text."""
    return f"\\{found[1]}" if found[1] else f"{found[2]}\\"
