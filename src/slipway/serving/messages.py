"""A request as it has arrived, an answer, and how that is written down for HTTP/1.1."""

from http import HTTPStatus

_STATUS_LINES = {status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode() for status in HTTPStatus}
_ALWAYS = b"x-content-type-options: nosniff\r\ncache-control: no-store\r\n"


class Request:
    """A request that has arrived whole. headers: those that matter here, names in small letters. peer: the caller's address."""

    __slots__ = ("body", "headers", "keep_alive", "method", "minor", "peer", "target")

    def __init__(self, method: bytes, target: bytes, headers: dict[bytes, bytes], body: bytes, peer: str):
        self.method, self.target, self.headers, self.body, self.peer = method, target, headers, body, peer
        self.keep_alive, self.minor = True, b"1"


class Response:
    """An answer. headers: complete lines, each with its line end."""

    __slots__ = ("body", "headers", "mimetype", "status")

    def __init__(self, status: int, body: bytes, mimetype: bytes = b"application/json", headers: bytes = b""):
        self.status, self.body, self.mimetype, self.headers = status, body, mimetype, headers


def written(request: Request, answer: Response, date: bytes, *, last: bool) -> bytes:
    """Return the bytes of an answer. date: a header line. last: whether the connection ends with it."""
    kept = b"" if request.minor == b"1" else b"connection: keep-alive\r\n"
    ending = b"connection: close\r\n" if last else kept
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
    """Return the head of a request that offers another protocol, without the offer."""
    kept = b"".join(b"%b: %b\r\n" % header for header in headers.items())
    ending = b"" if keep_alive else b"connection: close\r\n"
    return b"%b %b HTTP/1.1\r\n%b%b\r\n" % (method, target, kept, ending)
