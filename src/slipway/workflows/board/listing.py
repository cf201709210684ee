"""The lists of the board: the models that an address asks for, in order and by pages, and what waits for the visitor."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TypeVar

from slipway.core.release.work import Asked, ReviewState, Waiting
from slipway.errors import UsageError, did_you_mean
from slipway.registry.permissions import Access, Right
from slipway.reports.board import (
    ORDER,
    ORDERS,
    Listing,
    ModelLine,
    OverviewPage,
    Pages,
    StageColumn,
    WorkLine,
    WorkPage,
)
from slipway.types import Stage
from slipway.workflows.board.index import ModelFacts, VersionFacts

MODELS_A_PAGE, LINES_OF_WORK_A_PAGE, FIRST_WORK = 20, 50, 3
# The overview shows so many versions a stage; the page of the model shows all of them.
_SHOWN_IN_A_COLUMN = 3
_MOST_CHARACTERS, _MOST_DIGITS = 256, 6
T = TypeVar("T")


def listing_of(asked: Mapping[str, str]) -> Listing:
    """Return the list that the parameters of an address ask for.

    Raises UsageError, which names the parameter and what it takes, for one that is not known or has no such value.
    """
    _require_known(asked, Listing.__dataclass_fields__)
    stage = _one_of("stage", asked.get("stage", ""), ORDER)
    verdict = _one_of("verdict", asked.get("verdict", ""), tuple(ReviewState))
    order = _one_of("order", asked.get("order", ""), tuple(ORDERS)) or Listing.order
    q, owner = (_text(key, asked.get(key, "")) for key in ("q", "owner"))
    return Listing(
        q, Stage(stage) if stage else None, ReviewState(verdict) if verdict else None, owner, order, page_of(asked)
    )


def page_of(asked: Mapping[str, str], known: Sequence[str] = ()) -> int:
    """Return the number of the page that an address asks for. known: the names of the parameters, where they are checked."""
    if known:
        _require_known(asked, known)
    text = asked.get("page", "1")
    if not (text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS and int(text) >= 1):
        raise UsageError(f"page is {text[:100]!r}; it has to be a whole number from 1 on")
    return int(text)


def overview_of(
    models: Sequence[ModelFacts], listing: Listing, access: Callable[[str], Access], visitor: str | None
) -> OverviewPage:
    """Return a page of the models that the visitor may read. Raises UsageError for a page behind the last.

    visitor: the name of the visitor; None on a server without users.
    """
    readable = [model for model in models if access(model.name).read]
    found = _in_order([model for model in readable if _is_asked(model, listing)], listing.order)
    shown, pages = _page(found, MODELS_A_PAGE, listing.page, listing.on_page)
    work = _work_of(readable, access, visitor)
    owners = tuple(sorted({model.owner for model in readable if model.owner}))
    lines = tuple(
        ModelLine(model.name, stage_columns(model.versions, _SHOWN_IN_A_COLUMN), model.goal) for model in shown
    )
    first = tuple(map(_line, work[:FIRST_WORK]))
    return OverviewPage(lines, listing, len(found), len(readable), pages, owners, first, len(work))


def work_of(models: Sequence[ModelFacts], page: int, access: Callable[[str], Access], visitor: str | None) -> WorkPage:
    """Return a page of what waits for the visitor, oldest first. Arguments and errors as for `overview_of`."""
    work = _work_of([model for model in models if access(model.name).read], access, visitor)
    shown, pages = _page(work, LINES_OF_WORK_A_PAGE, page, lambda number: f"?page={number}" if number > 1 else "")
    return WorkPage(tuple(map(_line, shown)), len(work), pages)


def _work_of(readable: Sequence[ModelFacts], access: Callable[[str], Access], visitor: str | None) -> list[Waiting]:
    mine = [item for model in readable for item in model.waiting if _waits_for(item, access(model.name).may, visitor)]
    return sorted(mine, key=lambda item: (item.since_ms, item.name, item.version))


def _waits_for(item: Waiting, may: frozenset[Right], visitor: str | None) -> bool:
    """Say whether something waits for the visitor; on a server without users it waits for everybody."""
    if item.asked is Asked.READ:
        return visitor in (None, item.author)
    if item.asked is Asked.PROMOTE:
        return Right.PROMOTE in may
    named = not item.approvers or visitor in item.approvers
    return Right.APPROVE in may and (visitor is None or (named and visitor not in item.authors | item.approved_by))


def _is_asked(model: ModelFacts, listing: Listing) -> bool:
    if listing.q.casefold() not in model.name.casefold() or listing.owner not in ("", model.owner):
        return False
    if listing.stage is None and listing.verdict is None:
        return True
    return any(_fits(version, listing) for version in model.versions)


def _fits(version: VersionFacts, listing: Listing) -> bool:
    """Say whether a version is asked for. An archived one is, where its stage is: all the others are of interest now."""
    present = version.version.stage
    stage_fits = present is listing.stage if listing.stage else present is not Stage.ARCHIVED
    return stage_fits and listing.verdict in (None, version.state)


def _in_order(models: list[ModelFacts], order: str) -> list[ModelFacts]:
    if order == "newest":
        return sorted(models, key=lambda model: (-model.changed_ms, model.name))
    if order == "waiting":
        return sorted(models, key=lambda model: (_waiting_since(model), model.name))
    return models


def _waiting_since(model: ModelFacts) -> float:
    """Return since when something of a model waits to be approved or promoted; infinite where nothing does."""
    return min((item.since_ms for item in model.waiting if item.asked is not Asked.READ), default=float("inf"))


def _page(found: list[T], most: int, number: int, link: Callable[[int], str]) -> tuple[list[T], Pages]:
    count = max(1, -(-len(found) // most))
    if number > count:
        raise UsageError(f"page is {number}; this list has {count} {'page' if count == 1 else 'pages'} now")
    before = link(number - 1) if number > 1 else None
    after = link(number + 1) if number < count else None
    return found[most * (number - 1) : most * number], Pages(number, count, before, after)


def stage_columns(versions: Sequence[VersionFacts], most: int | None = None) -> tuple[StageColumn, ...]:
    """Return a column for each stage with its versions, newest first. most: how many a column shows; None for all."""
    columns = []
    for stage in ORDER:
        here = [each.status for each in versions if each.version.stage is stage]
        shown = tuple(here[:most])
        columns.append(StageColumn(stage, shown, len(here) - len(shown)))
    return tuple(columns)


def _line(item: Waiting) -> WorkLine:
    since = datetime.fromtimestamp(item.since_ms / 1000, UTC)
    return WorkLine(item.name, item.version, item.asked, item.stage, since, item.by, item.text, item.entries)


def _require_known(asked: Mapping[str, str], known: Mapping[str, object] | Sequence[str]) -> None:
    for key in asked:
        if key not in known:
            raise UsageError(f"there is no parameter {key[:100]!r}{did_you_mean(key, list(known))}")


def _one_of(key: str, value: str, known: Sequence[str]) -> str:
    """Return the known spelling of a value, in whatever case it is written; empty for an empty one."""
    spelled = {word.casefold(): word for word in known}
    if value and value.casefold() not in spelled:
        raise UsageError(f"{key} is {value[:100]!r}, which is not known{did_you_mean(value, known)}")
    return str(spelled.get(value.casefold(), ""))


def _text(key: str, value: str) -> str:
    if len(value) > _MOST_CHARACTERS or "\0" in value:
        raise UsageError(f"{key} is {value[:50]!r} …; it has to be text of up to {_MOST_CHARACTERS} characters")
    return value.strip()
