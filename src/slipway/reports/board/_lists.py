"""The lists of the board: which models are asked for, in which order, and which page; and the lines of what waits."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime
from urllib.parse import urlencode

from slipway.core.release.work import Asked, ReviewState
from slipway.types import Stage

ORDERS: Mapping[str, str] = {"name": "name", "newest": "newest change first", "waiting": "waiting longest first"}
"""The orders of the models with their words."""
VERDICTS = tuple(ReviewState)


@dataclass(frozen=True)
class Listing:
    """The parameters of a list of models, as they stand in an address.

    Attributes:
        q: A part of the model's name.
        stage: A stage that one of its versions is in; None for any.
        verdict: How that version was judged; None for any.
        owner: The author of the newest version; empty for anybody.
        order: A key of ORDERS.
        page: The number of the page, from 1.
    """

    q: str = ""
    stage: Stage | None = None
    verdict: ReviewState | None = None
    owner: str = ""
    order: str = "name"
    page: int = 1

    @property
    def filtered(self) -> bool:
        return replace(self, order="name", page=1) != Listing()

    def on_page(self, page: int) -> str:
        """Return the query of another page of the same list, with the question mark; empty for the whole first page."""
        values = {each.name: getattr(replace(self, page=page), each.name) for each in fields(self)}
        said = {key: str(value) for key, value in values.items() if value not in (getattr(Listing, key), None, "")}
        return f"?{urlencode(said)}" if said else ""


@dataclass(frozen=True)
class Pages:
    """The place of a page in its list. before, after: addresses of the pages on both sides; None where there is none."""

    number: int
    count: int
    before: str | None = None
    after: str | None = None


@dataclass(frozen=True)
class WorkLine:
    """One thing that waits for the visitor.

    Attributes:
        model: The model.
        version: The version; 0 for a release policy.
        asked: What the visitor is asked to do.
        stage: The stage that it is about.
        since: Since when it waits.
        by: The person who asks.
        text: Of something to read, the newest of it.
        entries: Of something to read, how many entries there are.
    """

    model: str
    version: int
    asked: Asked
    stage: Stage
    since: datetime
    by: str = ""
    text: str = ""
    entries: int = 1
