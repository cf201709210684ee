"""Slipway's own routes, by which clients ask the registrar. A route translates; the registrar decides."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import wraps
from typing import Any, Protocol
from urllib.parse import quote

from flask import Blueprint, Response, redirect, request
from mlflow.exceptions import MlflowException

from slipway.core.release.history import History, Moment
from slipway.core.release.transitions import Action, Transition
from slipway.errors import OutsideError, PromotionRefused, Refusal, SlipwayError, UnknownName, UsageError
from slipway.registry.evidence.bundle import EvidenceBundle
from slipway.registry.history import history_of, moment_of
from slipway.registry.history_client import MOST_TRANSITIONS, ROOT
from slipway.registry.permissions import Operation, Right, not_allowed
from slipway.registry.versions import is_registered
from slipway.server._mlflow import add_static_prefix
from slipway.server.own_stores import OwnStores
from slipway.types import HELD_STAGES, MOST_VERSION, Stage
from slipway.version import __version__
from slipway.workflows.release.policy import PolicyShown, policy_shown
from slipway.workflows.release.reconcile import Reconciled

OUTCOME = "slipway_outcome"
"""The cookie that tells the board the outcome of a form: percent-encoded, for one page."""
_ROUTES = (
    "GET {root}/about?model=NAME",
    "GET {root}/models/NAME/history?last=N&comments=true",
    "GET {root}/models/NAME/history?at=TIME",
    "GET {root}/models/NAME/policies",
    *(
        f"POST {{root}}/models/NAME/{what}"
        for what in (
            *("judgements", "approvals", "rejections", "comments", "redeclarations", "movements", "reconciliations"),
            *("policies", "policies/approvals"),
        )
    ),
)
_FORM, _JSON, _ZIP = "application/x-www-form-urlencoded", "application/json", "application/zip"
# The kinds of errors with their codes in MLflow's form, the more special first.
_ERRORS: Mapping[type[SlipwayError], tuple[int, str]] = {
    Refusal: (403, "PERMISSION_DENIED"),
    UnknownName: (404, "RESOURCE_DOES_NOT_EXIST"),
    UsageError: (400, "INVALID_PARAMETER_VALUE"),
    OutsideError: (503, "TEMPORARILY_UNAVAILABLE"),
}


class _Result(Protocol):
    """The result of a route: values as JSON, and as a string one sentence for the board."""

    def as_dict(self) -> dict[str, Any]: ...


def routes(stores: OwnStores) -> Blueprint:
    """Return the routes of the API."""
    api = Blueprint("slipway", __name__, url_prefix=add_static_prefix(ROOT))
    people = stores.people

    @api.get("/about")
    def about() -> Response:
        may = people.may(request.args.get("model", "").replace("\0", ""))
        description = {
            "slipway": __version__,
            "guarded": True,
            "auth": people.auth,
            "user": people.who() if people.auth else None,
            "may": [right.value for right in Right if right in may],
        }
        return _answer(description)

    @api.get("/models/<name>/history")
    @_answered
    def history(name: str) -> History | Moment:
        ledger = stores.ledger(name) if people.may_read(name) else None
        if ledger is None:
            raise UnknownName("history", name, (), "A model has one from its first judgement or transition on")
        at = _time(request.args)
        if at:
            return moment_of(ledger, at)
        comments = request.args.get("comments") == "true"
        return history_of(stores.client, ledger, _last(request.args), comments=comments)

    @api.post("/models/<name>/judgements")
    @_answered
    def judge(name: str) -> Transition:
        _require(stores, Operation.JUDGE, name)
        _require_type(_ZIP)
        return stores.registrar.judge(name, EvidenceBundle.from_bytes(request.get_data()))

    @api.post("/models/<name>/approvals")
    @_answered
    def approve(name: str) -> Transition:
        _require(stores, Operation.APPROVE, name)
        payload = _payload()
        return stores.registrar.approve(
            name, _version(payload), _stage(payload), _text(payload, "comment"), _overrides(payload)
        )

    @api.post("/models/<name>/rejections")
    @_answered
    def reject(name: str) -> Transition:
        _require(stores, Operation.REJECT, name)
        payload = _payload()
        return stores.registrar.reject(name, _version(payload), _stage(payload), _text(payload, "comment"))

    @api.post("/models/<name>/comments")
    @_answered
    def comment(name: str) -> Transition:
        _require(stores, Operation.COMMENT, name)
        payload = _payload()
        return stores.registrar.comment(name, _version(payload), _text(payload, "comment"))

    @api.post("/models/<name>/redeclarations")
    @_answered
    def redeclare(name: str) -> Transition:
        _require(stores, Operation.REDECLARE, name)
        payload = _payload()
        text = _text(payload, "declaration")
        return stores.registrar.redeclare(name, _version(payload), text, _text(payload, "comment"))

    @api.post("/models/<name>/movements")
    @_answered
    def move(name: str) -> Transition:
        _require(stores, _operation(), name)
        registrar = stores.registrar
        if request.mimetype == _ZIP:  # a promotion that brings its evidence bundle
            bundle = EvidenceBundle.from_bytes(request.get_data())
            return registrar.promote(name, bundle.version, bundle.stage, _text(request.args, "comment"), bundle)
        payload = _payload()
        comment, action = _text(payload, "comment"), _text(payload, "action")
        if action == Action.PROMOTE:
            return registrar.promote(name, _version(payload), _stage(payload), comment)
        if action == Action.ARCHIVE:
            return registrar.archive(name, _version(payload), comment)
        if action == Action.ROLLBACK:
            return registrar.rollback(name, comment)
        raise UnknownName("action", action, ("promote", "rollback", "archive"))

    @api.post("/models/<name>/reconciliations")
    @_answered
    def reconcile(name: str) -> Reconciled:
        _require(stores, Operation.RECONCILE, name)
        return Reconciled(name, stores.registrar.reconcile(name))

    @api.get("/models/<name>/policies")
    @_answered
    def policy(name: str) -> PolicyShown:
        if not people.may_read(name) or not is_registered(stores.client, name):
            raise UnknownName("registered model", name, ())
        return policy_shown(stores.client, name)

    @api.post("/models/<name>/policies")
    @_answered
    def set_policy(name: str) -> Transition:
        _require(stores, Operation.POLICY, name)
        payload = _payload()
        return stores.registrar.set_policy(name, _text(payload, "policy"), _text(payload, "comment"))

    @api.post("/models/<name>/policies/approvals")
    @_answered
    def approve_policy(name: str) -> Transition:
        _require(stores, Operation.APPROVE, name)
        payload = _payload()
        digest, comment, as_admin = _text(payload, "digest"), _text(payload, "comment"), payload.get("as_admin", False)
        if not isinstance(as_admin, bool):
            raise UsageError(f"as_admin is {repr(as_admin)[:100]}; it has to be true or false")
        return stores.registrar.approve_policy(name, digest, comment, as_admin=as_admin)

    @api.route("/<path:_>", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
    def nowhere(_: str) -> Response:
        hint = f"These are taken: {', '.join(_ROUTES)}".format(root=add_static_prefix(ROOT))
        return _error(UnknownName("route", f"{request.method} {request.path}", (), hint))

    return api


def _answered(route: Callable[[str], _Result]) -> Callable[[str], Response]:
    """Let a route answer with its result or its error: a client gets JSON, a form is sent back to the board."""

    @wraps(route)
    def answer(name: str) -> Response:
        form = request.mimetype == _FORM
        try:
            _require_kept("the name of the model", name)
            done = route(name)
        except (SlipwayError, MlflowException) as raised:
            error = raised if isinstance(raised, SlipwayError) else _of_mlflow(raised)
            return _back(name, f"Not done: {error}") if form else _error(error)
        return _back(name, f"Done: {done}") if form else _answer(done.as_dict())

    return answer


def _require(stores: OwnStores, operation: Operation, name: str) -> None:
    if operation.right not in stores.people.may(name):
        raise not_allowed(stores.people.who(), operation, name)


def _operation() -> Operation:
    """Return the operation that a transition asks for; a body that cannot be read counts as a promotion until it is refused."""
    payload = request.form if request.mimetype == _FORM else _json()
    action = payload.get("action") if isinstance(payload, Mapping) else None
    return {Action.ROLLBACK.value: Operation.ROLLBACK, Action.ARCHIVE.value: Operation.ARCHIVE}.get(
        str(action), Operation.PROMOTE
    )


def _require_type(taken: str) -> None:
    if request.mimetype != taken:
        raise UsageError(f"the Content-Type is {request.mimetype or 'not given'}; this route takes {taken}")


def _payload() -> Mapping[str, Any]:
    if request.mimetype == _FORM:
        return request.form
    _require_type(_JSON)
    payload = _json()
    if not isinstance(payload, dict):
        raise UsageError("the body is not a JSON object; send the fields as one")
    return payload


def _json() -> Any:
    """Return the JSON of the body; None for a body that is not JSON, or nested too deeply to be read."""
    try:
        return request.get_json(silent=True)
    except RecursionError:
        return None


def _text(payload: Mapping[str, Any], key: str) -> str:
    text = payload.get(key, "")
    if not isinstance(text, str):
        raise UsageError(f"{key} is {text!r}; it has to be text")
    _require_kept(key, text)
    return text


def _overrides(payload: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the names of the gates that an approval overrides: JSON has a list of them, a form has commas between them."""
    value = payload.get("overrides") or []
    names = value.split(",") if isinstance(value, str) else value
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise UsageError(f"overrides is {repr(value)[:100]}; it has to be a list of names of gates")
    return tuple(dict.fromkeys(names))


def _require_kept(what: str, text: str) -> None:
    """Refuse text that databases cannot store: JSON can hold NUL and half of a surrogate pair."""
    if "\0" in text or text.encode("utf-8", "ignore").decode() != text:
        raise UsageError(f"{what} is {text[:200]!r}; it has to be text without NUL and halves of characters")


def _version(payload: Mapping[str, Any]) -> int:
    value = payload.get("version")
    try:
        if (
            isinstance(value, bool)
            or not isinstance(value, int | str)
            or not 1 <= (number := int(value)) <= MOST_VERSION
        ):
            raise ValueError
    except ValueError:
        raise UsageError(
            f"version is {repr(value)[:100]}; it has to be a whole number from 1 to {MOST_VERSION}"
        ) from None
    return number


def _stage(payload: Mapping[str, Any]) -> Stage:
    word = _text(payload, "stage")
    known = {stage.lower(): stage for stage in HELD_STAGES}
    if word.lower() not in known:
        raise UnknownName("stage", word, known.values())
    return known[word.lower()]


def _last(query: Mapping[str, str]) -> int:
    text = query.get("last", "100")
    if not (text.isascii() and text.isdigit() and len(text) <= 4 and 1 <= int(text) <= MOST_TRANSITIONS):
        raise UsageError(f"last is {text[:100]!r}; it has to be a whole number from 1 to {MOST_TRANSITIONS}")
    return int(text)


def _time(query: Mapping[str, str]) -> datetime | None:
    """Return the time of the parameter `at`, taken as UTC where it has no offset; None where the parameter is absent."""
    text = query.get("at")
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"at is {text[:100]!r}; it has to be a time such as 2026-11-24T09:30") from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _answer(payload: Mapping[str, Any], status: int = 200) -> Response:
    return Response(json.dumps(payload), status, mimetype=_JSON, headers={"Cache-Control": "no-store"})


def _error(error: SlipwayError) -> Response:
    status, code = next(answer for kind, answer in _ERRORS.items() if isinstance(error, kind))
    payload: dict[str, Any] = {"error_code": code, "message": str(error)}
    if isinstance(error, PromotionRefused):
        payload["verdicts"] = [{"gate": v.gate, "passed": v.passed, "reason": v.reason} for v in error.verdicts]
    return _answer(payload, status)


def _of_mlflow(error: MlflowException) -> SlipwayError:
    """Return an error of MLflow's stores as one of ours: UsageError for a status below 500, OutsideError for all others."""
    message = error.message.partition("\n")[0][:500]
    return UsageError(message) if error.get_http_status_code() < 500 else OutsideError(f"the store failed: {message}")


def _back(name: str, outcome: str) -> Response:
    """Redirect to the model's page on the board, which shows the outcome of the form once; after a comment, to the thread."""
    number = request.form.get("version", "")
    said = request.path.endswith("/comments") and number.isascii() and number.isdigit()
    page = f"/slipway/models/{quote(name, safe='')}" + (f"/versions/{number}#thread" if said else "")
    answer = redirect(add_static_prefix(page), 303)
    path = add_static_prefix("/slipway/")
    answer.set_cookie(OUTCOME, quote(outcome[:1500]), max_age=60, path=path, httponly=True, samesite="Strict")
    return answer  # type: ignore[return-value] # werkzeug's own class, which Flask's is
