"""The board's routes: pages under `/slipway/` that change nothing. Buttons post to the API, which answers by a cookie."""

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote

from flask import Blueprint, Response, request
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from slipway.errors import OutsideError, Refusal, SlipwayError, UnknownName, UsageError
from slipway.reports.board import (
    ButtonOutcome,
    Frame,
    LedgerCheck,
    Visitor,
    model_page,
    overview_page,
    problem_page,
    roles_page,
    stylesheet,
    version_page,
    work_page,
)
from slipway.server.api import OUTCOME
from slipway.server.identity import People
from slipway.workflows.board import listing
from slipway.workflows.board import overview as board_overview
from slipway.workflows.board import roles as board_roles
from slipway.workflows.board import version as board_version
from slipway.workflows.board.comparison import Comparisons
from slipway.workflows.board.index import BoardIndex
from slipway.workflows.endpoint.variant_record import read_variants

# A check of a ledger is shown for so long. Findings are checked again soon: a transition under way looks like one.
_FRESH_S, _FRESH_FINDINGS_S = 600.0, 10.0
_NO_TIME_MS = 2**63
_NEVER: tuple[float, LedgerCheck | None] = float("-inf"), None
_FOR_EVER, _FOR_MINUTES = "private, max-age=31536000, immutable", "private, max-age=300"
# The kinds of errors with their codes and titles, the more special first.
_PROBLEMS: Mapping[type[SlipwayError], tuple[int, str]] = {
    Refusal: (403, "Refused"),
    UnknownName: (404, "Not here"),
    UsageError: (400, "Not understood"),
    OutsideError: (503, "Not to be had now"),
}
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; img-src 'self' data:; style-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


def blueprint(
    client: Callable[[], MlflowClient],
    people: People,
    index: BoardIndex,
    prefix: str = "",
    home: Path | None = None,
    untold: Callable[[], str] = str,
) -> Blueprint:
    """Return the board's pages as a Flask blueprint.

    Args:
        client: returns a client of the server's own stores.
        people: identifies the visitor.
        index: lists all models.
        prefix: the static prefix that MLflow puts before each of its paths.
        home: the home of the server, in which services leave the records of their canaries; None for none.
        untold: returns why the notices.yaml of the server cannot be used; empty while it can be.
    """
    pages = Blueprint("slipway_board", __name__, url_prefix=f"{prefix}/slipway")
    comparisons, verified = Comparisons(client), _Verified(client)
    board = f"{prefix}/slipway/"

    def frame(model: str | None = None) -> Frame:
        visitor = _visitor(people, model)
        return Frame(visitor, board, f"{prefix}/", f"{prefix}/api/2.0/slipway/", _outcome(), model or "")

    @pages.get("/")
    def overview() -> str:
        asked = listing.listing_of(request.args)
        page = listing.overview_of(index.models(), asked, people.access(), _name(people))
        return overview_page(page, replace(frame(), warning=_on_notices(untold())))

    @pages.get("/work")
    def work() -> str:
        page = listing.page_of(request.args, ("page",))
        return work_page(listing.work_of(index.models(), page, people.access(), _name(people)), frame())

    @pages.get("/models/<name>")
    def model(name: str) -> str:
        _require_readable(people, name)
        now = request.args.get("verify") == "now"
        known = index.model(name)
        page = board_overview.model_page(client(), name, known, until_ms=_until())
        return model_page(page, verified.of(name, len(known[1]), now=now), frame(name))

    @pages.get("/models/<name>/versions/<int:number>")
    def version(name: str, number: int) -> str:
        _require_readable(people, name)
        around = frame(name)
        seen, staff = read_variants(home, name) if home else [], people.staff(name) if people.auth else None
        page = board_version.version_page(
            client(), name, number, around.visitor, comparisons, index.model(name), seen, staff
        )
        return version_page(page, around)

    @pages.get("/models/<name>/versions/<int:number>/plots/<key>/<figure>.png")
    def plot(name: str, number: int, key: str, figure: str) -> Response:
        _require_readable(people, name)
        drawn = board_version.figure(client(), name, number, key, figure, comparisons)
        if drawn is None:
            raise UnknownName("figure", figure, ())
        return Response(drawn, mimetype="image/png", headers={"Cache-Control": _FOR_EVER})

    @pages.get("/roles")
    def roles() -> str:
        name = request.args.get("model", "")
        if name:
            _require_readable(people, name)
        role = people.role(name) if people.auth else None
        return roles_page(board_roles.roles_page(role, name, people.who()), frame(name))

    @pages.get("/board.css")
    def style() -> Response:
        return Response(stylesheet(), mimetype="text/css", headers={"Cache-Control": _FOR_MINUTES})

    @pages.get("/<path:_>")
    def nowhere(_: str) -> str:
        raise UnknownName("page", request.path, ())

    @pages.errorhandler(SlipwayError)
    def problem(error: SlipwayError) -> tuple[str, int]:
        status, title = next(answer for kind, answer in _PROBLEMS.items() if isinstance(error, kind))
        return problem_page(title, str(error), frame()), status

    @pages.errorhandler(MlflowException)
    def failed(error: MlflowException) -> tuple[str, int]:
        return problem_page("Not to be had", error.message, frame()), error.get_http_status_code()

    @pages.after_request
    def secured(answer: Response) -> Response:
        answer.headers.update(_HEADERS)
        answer.headers.setdefault("Cache-Control", "no-store")
        if OUTCOME in request.cookies and answer.mimetype == "text/html":
            answer.delete_cookie(OUTCOME, path=board)
        return answer

    return pages


class _Verified:
    """The checks of ledgers of the last minutes, by model."""

    def __init__(self, client: Callable[[], MlflowClient]) -> None:
        self._client, self._checks = client, dict[str, tuple[float, LedgerCheck]]()

    def of(self, name: str, entries: int, *, now: bool) -> LedgerCheck | None:
        """Return the check of a model's ledger; None for a ledger that is too long to be checked unasked.

        Args:
            name: the registered model.
            entries: the number of its entries.
            now: check it anew, however long it is.
        """
        at, check = self._checks.get(name, _NEVER)
        fresh_s = _FRESH_FINDINGS_S if check and check.findings else _FRESH_S
        if not now and time.monotonic() - at <= fresh_s:
            return check
        if not now and entries > board_overview.VERIFIED_AT_ONCE:
            return None
        check = board_overview.verified_now(self._client(), name)
        self._checks[name] = time.monotonic(), check
        return check


def _visitor(people: People, model: str | None) -> Visitor:
    may = people.may(model) if model else frozenset()
    return Visitor(people.who() if people.auth else "", may, asks_name=not people.auth)


def _name(people: People) -> str | None:
    return people.who() if people.auth else None


def _outcome() -> ButtonOutcome | None:
    """Return the outcome that the API left in its cookie, `Done: …` or `Not done: …`; None without a cookie."""
    word, _, message = unquote(request.cookies.get(OUTCOME, "")).partition(": ")
    return ButtonOutcome(message[:1].upper() + message[1:], word == "Done") if message else None


def _on_notices(problem: str) -> str:
    """Return the warning of a notices.yaml that cannot be used, without the reasons, which may hold a channel's address."""
    if not problem:
        return ""
    return (
        "The server's notices.yaml was changed and cannot be used, so notices go on as it said before. The server's log and "
        "`slipway notices check` say why."
    )


def _until() -> int | None:
    """Return the time up to which entries are shown, in Unix milliseconds; None for one that no database can compare with."""
    until_ms = request.args.get("until", type=int)
    return until_ms if until_ms is not None and abs(until_ms) < _NO_TIME_MS else None


def _require_readable(people: People, name: str) -> None:
    if "\0" in name or not people.may_read(name):
        raise UnknownName("registered model", name, ())
