"""The rendering of templates, with the filters and functions that templates may call."""

import re
from base64 import b64encode
from functools import cache
from urllib.parse import urlsplit

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from slipway.colours import COLOURS
from slipway.core.statistics.metrics import METRICS
from slipway.reports._interval_plot import interval_plot
from slipway.reports.words import card as sentences
from slipway.reports.words import spelling
from slipway.reports.words.board import coded
from slipway.reports.words.spelling import markdown_text

_TITLES = {
    "roc": "ROC curve",
    "precision_recall": "Precision and recall",
    "calibration": "Calibration",
    "confusion_matrix": "Confusion matrix",
    "residuals": "Residuals",
    "predicted_vs_actual": "Predicted and actual",
    "importance": "Importance of the columns",
    "cost": "Cost along the threshold",
    "search_parallel": "The trials by their parameters",
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
    environment.filters.update(data_uri=data_uri, web=web, coded=coded)
    environment.globals.update(interval_plot=interval_plot, colours=Markup(COLOURS))  # noqa: S704 - our own text
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
    environment.filters.update({spell.__name__: spell for spell in spelling.SPELLINGS})
    environment.filters.update(direction=direction, titled=titled, beats=beats)
    environment.globals.update(say=sentences)
    return environment


def direction(metric: str) -> str:
    """Return which direction of a metric is better; empty for a metric that core does not know."""
    return (
        "" if metric not in METRICS else "higher is better" if METRICS[metric].greater_is_better else "lower is better"
    )


def beats(baseline: float | None, value: float, metric: str) -> bool:
    """Return whether a baseline is at least as good as a value of a known metric; a baseline without a value is not."""
    return baseline is not None and metric in METRICS and METRICS[metric].better(baseline, value) >= 0


def titled(name: str) -> str:
    """Return the title of a figure by its name."""
    return _TITLES.get(name) or name.replace("_", " ").capitalize()


def data_uri(png: bytes) -> str:
    """Return a data URI that holds an image."""
    return f"data:image/png;base64,{b64encode(png).decode()}"


def web(address: str) -> str:
    """Return an address that may become a link; empty for an address that is not http or https."""
    return address if urlsplit(address.strip()).scheme in ("http", "https") else ""
