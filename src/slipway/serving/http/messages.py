"""Requests as they were read, responses as they are to be written, and the bodies of refusals."""

import json
from http import HTTPStatus

from slipway.serving.contract import Generation

LARGE_BODY_BYTES = 32_768
"""A longer body is a large one: it is counted while it is under way, and read in a thread, so that nobody waits for it.

So much JSON holds a few hundred rows.
"""

_STATUS_LINES = {status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode() for status in HTTPStatus}
_ALWAYS = b"x-content-type-options: nosniff\r\ncache-control: no-store\r\n"


class Request:
    """A request that has arrived whole.

    Attributes:
        method: Such as `POST`.
        target: The path with its query.
        headers: The headers that an HttpServer hands on; their names are in small letters.
        body: The bytes of the body.
        peer: The address of the caller.
        keep_alive: Whether the caller keeps the connection for more requests.
        minor: The minor number of HTTP/1: 0 or 1.
    """

    __slots__ = ("body", "headers", "keep_alive", "method", "minor", "peer", "target")

    def __init__(self, method: bytes, target: bytes, headers: dict[bytes, bytes], body: bytes, peer: str):
        self.method = method
        self.target = target
        self.headers = headers
        self.body = body
        self.peer = peer
        self.keep_alive = True
        self.minor = b"1"


class Response:
    """An answer to a request.

    Attributes:
        status: The status code.
        body: The bytes of the body.
        mimetype: The content type of the body.
        headers: Further header lines, each with its line end.
        by: The generation that answered; None where no model answered.
    """

    __slots__ = ("body", "by", "headers", "mimetype", "status")

    def __init__(
        self,
        status: int,
        body: bytes,
        mimetype: bytes = b"application/json",
        headers: bytes = b"",
        by: Generation | None = None,
    ):
        self.status = status
        self.body = body
        self.mimetype = mimetype
        self.headers = headers
        self.by = by


def written(request: Request, answer: Response, date: bytes, *, last: bool) -> bytes:
    """Return the bytes of an answer.

    Args:
        request: The request that is answered.
        answer: The answer.
        date: The header line of the date.
        last: Whether the connection ends with this answer.
    """
    lasting = b"" if request.minor == b"1" else b"connection: keep-alive\r\n"
    ending = b"connection: close\r\n" if last else lasting
    body = b"" if request.method == b"HEAD" else answer.body
    return b"%bcontent-type: %b\r\n%b%b%b%bcontent-length: %d\r\n\r\n%b" % (
        _STATUS_LINES[answer.status],
        answer.mimetype,
        _ALWAYS,
        answer.headers,
        date,
        ending,
        len(answer.body),
        body,
    )


def without_offer(method: bytes, target: bytes, headers: dict[bytes, bytes], *, keep_alive: bool) -> bytes:
    """Return the head of a request without its offer of another protocol."""
    lines = b"".join(b"%b: %b\r\n" % header for header in headers.items())
    ending = b"" if keep_alive else b"connection: close\r\n"
    return b"%b %b HTTP/1.1\r\n%b%b\r\n" % (method, target, lines, ending)


CODES = {
    400: "BAD_REQUEST",
    401: "UNAUTHENTICATED",
    404: "RESOURCE_DOES_NOT_EXIST",
    405: "ENDPOINT_NOT_FOUND",
    408: "REQUEST_TIMEOUT",
    411: "BAD_REQUEST",
    413: "REQUEST_LIMIT_EXCEEDED",
    415: "BAD_REQUEST",
    431: "REQUEST_LIMIT_EXCEEDED",
    500: "INTERNAL_ERROR",
    501: "NOT_IMPLEMENTED",
    503: "TEMPORARILY_UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
"""The `error_code` of a status, where the refusal names no other code."""


def refusal(status: int, message: str, code: str = "") -> bytes:
    """Return the body of an error, in the form of MLflow's: `{"error_code": …, "message": …}`."""
    return json.dumps({"error_code": code or CODES.get(status, "INTERNAL_ERROR"), "message": message}).encode()
