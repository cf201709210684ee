"""POST /feedback: the true labels of a request's rows are checked and put into the ring."""

import asyncio
import json
import math
from collections.abc import Awaitable, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta

from slipway.serving.config import ServingConfig
from slipway.serving.contract import Signature
from slipway.serving.front.capture import MOST_BYTES, CaptureClient
from slipway.serving.front.state import FrontState
from slipway.serving.http.messages import LARGE_BODY_BYTES, Request, Response, refusal
from slipway.serving.protocol.content_types import JSON, normalised

FORM = '{"request_id": …, "labels": [one a row]}, or {"request_id": …, "row": 0, "label": …}, or a list of such objects'
_SHOWN = 12

Label = tuple[str, int, Any]


class _LabelsGiven(msgspec.Struct, forbid_unknown_fields=True):
    request_id: Annotated[str, Meta(pattern="^[A-Za-z0-9._:-]{1,128}$")]
    labels: Any = UNSET
    row: Annotated[int, Meta(ge=0, lt=2**31)] = 0
    label: Any = UNSET


_decode = msgspec.json.Decoder(list[_LabelsGiven] | _LabelsGiven).decode


class Wrong(ValueError):
    """Labels are refused, for the reason in the message. status: the status code of the answer."""

    def __init__(self, message: str, status: int = 400):
        super().__init__(message)
        self.status = status


class Feedback:
    """Answers POST /feedback of the models that a front serves."""

    def __init__(self, state: FrontState, config: ServingConfig):
        self._state, self._config = state, config
        self._thread = ThreadPoolExecutor(1, "feedback")

    def __call__(self, request: Request, model: str) -> Response | Awaitable[Response]:
        """Take the labels for a model that is served."""
        capture_client, kind = self._state.capture_client, normalised(request.headers.get(b"content-type", b""))
        if capture_client is None:
            return _refused(
                404,
                f"labels are not kept: this service does not capture; start it with `slipway serve {model} --capture`",
            )
        if not kind.startswith(JSON):
            return _refused(415, "name the format of the body: Content-Type: application/json")
        if len(request.body) > LARGE_BODY_BYTES:
            return self._later(request, model, capture_client)
        return self._answer(request.body, model, capture_client)

    async def _later(self, request: Request, model: str, capture_client: CaptureClient) -> Response:
        signature = self._state.models.served[model].generation.signature
        call = asyncio.get_running_loop().run_in_executor
        try:
            taken = await call(self._thread, _packed, request.body, signature, self._config.max_rows)
        except Wrong as wrong:
            return _refused(wrong.status, str(wrong))
        return self._taken(taken, model, capture_client)

    def _answer(self, body: bytes, model: str, capture_client: CaptureClient) -> Response:
        try:
            taken = _packed(body, self._state.models.served[model].generation.signature, self._config.max_rows)
        except Wrong as wrong:
            return _refused(wrong.status, str(wrong))
        return self._taken(taken, model, capture_client)

    def _taken(self, taken: tuple[bytes, int], model: str, capture_client: CaptureClient) -> Response:
        labels, count = taken
        if not capture_client.labelled(self._state.models.served[model].generation, labels, count):
            why = refusal(503, "the labels cannot be written at present; none was taken, send them again in a moment")
            return Response(503, why, headers=b"retry-after: 5\r\n")
        return Response(200, json.dumps({"taken": count}).encode())


def _packed(body: bytes, signature: Signature, max_rows: int) -> tuple[bytes, int]:
    """Return the labels as JSON for the ring, and their number. Raises Wrong."""
    labels = labels_of(body, signature, max_rows)
    packed = json.dumps(labels).encode()
    if len(packed) > MOST_BYTES:
        raise Wrong(f"the labels are larger than {MOST_BYTES} bytes; send them in parts", 413)
    return packed, len(labels)


def labels_of(body: bytes, signature: Signature, max_rows: int) -> list[Label]:
    """Return the labels of a body, each as request id, row, and the label as the model spells its class. Raises Wrong."""
    try:
        content = _decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        what = str(error)[:200] if isinstance(error, msgspec.ValidationError) else "the body is not JSON"
        raise Wrong(f"{what}; labels are {FORM}") from None
    given = content if isinstance(content, list) else [content]
    if not given:
        raise Wrong(f"there is no label in the list; labels are {FORM}")
    checked = _checks(signature)
    labels: list[Label] = []
    for number, each in enumerate(given):
        where = f"in object {number} of the list " if isinstance(content, list) else ""
        labels += _of_one(each, where, checked)
        if len(labels) > max_rows:
            raise Wrong(f"there are more than {max_rows} labels; send them in parts", 413)
    return labels


def _of_one(given: _LabelsGiven, where: str, checked: Callable[[Any], Any]) -> Iterator[Label]:
    if (given.labels is UNSET) == (given.label is UNSET):
        found = "neither" if given.label is UNSET else "both"
        raise Wrong(f"{where}there is {found} of 'labels' and 'label'; exactly one is needed: {FORM}")
    if given.label is not UNSET:
        rows: Sequence[tuple[int, Any]] = [(given.row, given.label)]
    elif not isinstance(given.labels, list) or not given.labels or given.row:
        raise Wrong(
            f"{where}'labels' has to be a list with a label for each row of the request, from row 0 on, without 'row'"
        )
    else:
        rows = list(enumerate(given.labels))
    for row, value in rows:
        try:
            yield given.request_id, row, checked(value)
        except ValueError as error:
            raise Wrong(f"{where}the label of row {row} is {_kind(value)}{error}") from None


def _checks(signature: Signature) -> Callable[[Any], Any]:
    """Return a function that returns a label as it is kept, or raises a ValueError that says which labels are allowed."""
    if signature.classes is None:
        return _number
    known = {(isinstance(value, bool), value): value for value in signature.classes}
    listed = ", ".join(json.dumps(value, ensure_ascii=False) for value in signature.classes[:_SHOWN])
    more = f" and {len(known) - _SHOWN} more" if len(known) > _SHOWN else ""

    def check(value: Any) -> Any:
        try:
            return known[isinstance(value, bool), value]
        except (KeyError, TypeError):
            raise ValueError(f" that is none of the classes; there are {listed}{more}") from None

    return check


def _number(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError("; it has to be a number")
    if abs(value) > 2**1000:
        raise ValueError("; it has to be a number that a double can hold")
    return float(value)


def _kind(value: Any) -> str:
    kinds = {
        bool: "true or false",
        str: "a text",
        int: "a number",
        float: "a number",
        list: "a list",
        dict: "an object",
    }
    return kinds.get(type(value), "null")


def _refused(status: int, message: str) -> Response:
    return Response(status, refusal(status, message))
