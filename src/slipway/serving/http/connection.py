"""HTTP/1.1 on a socket: requests are read within limits of size and time, answered in their order, or refused.

httptools parses. This module bounds the cost of a request before anybody looks at the request. The Connection translates, and
the `handle` of the HttpServer decides.
"""

import asyncio
import logging
from collections import deque
from time import monotonic
from typing import Any

import httptools

from slipway.serving.http.body_budget import BodyBudget
from slipway.serving.http.messages import Request, Response, refusal, without_offer, written
from slipway.serving.http.server import HttpServer

MAX_HEAD_BYTES = 16_384
"""The bytes that the target and the headers of a request may have together."""

_TURN_S = 0.005
"""How long the requests of one connection are answered before those of others are."""

_LINGER_S = 2.0
"""How long a refused caller may go on sending, so that it reads why instead of a reset."""

_NEVER = float("inf")

log = logging.getLogger(__name__)


class Connection(asyncio.Protocol):
    """One connection of an HttpServer. A request that comes before the former one is answered waits for its turn."""

    def __init__(self, server: HttpServer):
        self._server = server
        self._parser = httptools.HttpRequestParser(self)
        self._waiting: deque[Request] = deque()
        self._task: asyncio.Future[Response] | None = None
        self._request: Request | None = None
        self._lost = self._ended = self._reading = self._choked = self._half_closed = False
        self._target, self._headers, self._body = b"", dict[bytes, bytes](), bytearray()
        self._head_bytes = self._body_bytes = self._more_bytes = 0
        self._begun = self._headed = self._offers = self._resting = False
        self._turn_ends = 0.0
        self._again = self._last_words = b""
        self._large = BodyBudget(server)
        self.deadline = _NEVER

    # ---- the transport

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        peer = transport.get_extra_info("peername")
        self._peer = str(peer[0]) if peer else ""
        self._server.connections.add(self)
        self.deadline = self._server.now + self._server.config.header_timeout_s
        if len(self._server.connections) > self._server.config.max_connections:
            self._refuse(503, "too many connections; try again in a moment")

    def connection_lost(self, _exc: Exception | None) -> None:
        self._lost = True
        self._server.connections.discard(self)
        self._waiting.clear()
        self._large.all_gone()
        if self._task is not None:
            self._task.cancel()

    def eof_received(self) -> bool:
        """Keep a half-closed connection open while an answer is due on it; a caller may shut its side after asking."""
        self._half_closed = True
        return self._task is not None or bool(self._waiting)

    def pause_writing(self) -> None:
        """Read nothing from a caller who reads no answers: the answers that wait here would have no bound."""
        self._choked = True
        self._transport.pause_reading()
        self._set_deadline()

    def resume_writing(self) -> None:
        self._choked, self._turn_ends = False, monotonic() + _TURN_S
        if self._reading or (self._ended and self._task is None):
            self.deadline = self._server.now + (_LINGER_S if self._ended else self._server.config.body_timeout_s)
        self._answer_next()
        self._read_on()

    def data_received(self, data: bytes) -> None:
        left, self._begun = memoryview(data), False
        self._turn_ends = monotonic() + _TURN_S
        while left and not self._ended:
            try:
                self._parser.feed_data(left)
                break
            except httptools.HttpParserUpgrade as offered:
                left = self._declined(left[offered.args[0] :])
            except httptools.HttpParserError:
                self._refuse(400, "this is not a well-formed HTTP/1.1 request")
        if self._reading and not self._begun:
            self._count_more(len(data))

    def _declined(self, left: memoryview) -> memoryview:
        """Return the bytes to read after a request that offers another protocol, as Java's client does.

        The request is answered in HTTP/1.1. The parser stops at its head; where a body follows, the head is read again without
        the offer.
        """
        if self._parser.get_method() == b"CONNECT":
            self._refuse(400, "there is nothing to connect to here")
        self._parser = httptools.HttpRequestParser(self)
        return memoryview(self._again + left)

    def _count_more(self, length: int) -> None:
        """Bound the bytes outside the body: a header that does not end, trailers, the frames of chunks."""
        self._more_bytes += length
        if self._more_bytes - 10 * self._body_bytes > 2 * MAX_HEAD_BYTES:
            self._refuse_head()

    # ---- the parser

    def on_message_begin(self) -> None:
        self._reading = self._begun = True
        self._headed = False
        self._target, self._headers, self._body = b"", {}, bytearray()
        self._head_bytes = self._body_bytes = self._more_bytes = 0
        self.deadline = self._server.now + self._server.config.header_timeout_s

    def on_url(self, url: bytes) -> None:
        self._target += url
        self._count_head(len(url))

    def on_header(self, name: bytes, value: bytes) -> None:
        name = name.lower()
        if name in self._server.handed_on and not self._headed:  # after the head comes a trailer, which is ignored
            self._headers[name] = value
        elif name == b"content-length" and value.isdigit() and int(value[:19]) > self._server.config.max_body_bytes:
            self._refuse_body()
        self._count_head(len(name) + len(value))

    def on_headers_complete(self) -> None:
        self._headed = True
        self.deadline = self._server.now + self._server.config.body_timeout_s
        self._offers = self._parser.should_upgrade()
        if self._headers.get(b"expect", b"").lower() == b"100-continue" and not (self._ended or self._offers):
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        self._body_bytes += len(body)
        if self._body_bytes > self._server.counted_from and not self._ended:
            self._count_body(len(body))
        if not self._ended:
            self._body += body

    def on_message_complete(self) -> None:
        self._reading = False
        if self._offers:
            keep_alive = self._parser.should_keep_alive()
            self._again = without_offer(self._parser.get_method(), self._target, self._headers, keep_alive=keep_alive)
        if self._ended or self._offers:
            return
        body = bytes(self._body)
        request = Request(self._parser.get_method(), self._target, self._headers, body, self._peer)
        request.keep_alive = self._parser.should_keep_alive()
        if self._parser.get_http_version() == "1.0":
            request.minor = b"0"
        self._body = bytearray()
        self._waiting.append(request)
        self._answer_next()

    def _count_head(self, length: int) -> None:
        self._head_bytes += length
        if self._head_bytes > MAX_HEAD_BYTES:
            self._refuse_head()

    def _refuse_head(self) -> None:
        self._refuse(431, f"the request line and headers are larger than {MAX_HEAD_BYTES} bytes")

    def _refuse_body(self) -> None:
        self._refuse(413, f"the body is larger than {self._server.config.max_body_bytes} bytes; send the rows in parts")

    def _count_body(self, length: int) -> None:
        self._large.grew(length, self._body_bytes)
        if self._body_bytes > self._server.config.max_body_bytes:
            self._refuse_body()
        elif self._server.large_bytes > self._server.config.max_bodies_bytes:
            self._refuse(503, "too many large requests are under way; try again in a moment, or send the rows in parts")

    # ---- answers

    def _answer_next(self) -> None:
        while self._waiting and self._task is None and not (self._choked or self._ended or self._resting):
            if monotonic() > self._turn_ends:
                self._rest()
                break
            request = self._waiting.popleft()
            try:
                answer = self._server.handle(request)
            except Exception:  # noqa: BLE001 whatever it is, it is logged, and only this request fails
                answer = self._broken()
            if isinstance(answer, Response):
                self._write(request, answer)
            else:
                self._request, self._task = request, asyncio.ensure_future(answer)
                self._task.add_done_callback(self._answered)
                self._transport.pause_reading()
        self._set_deadline()

    def _rest(self) -> None:
        """Let other connections have a turn: a caller may send thousands of requests at once."""
        self._resting = True
        self._transport.pause_reading()
        asyncio.get_running_loop().call_soon(self._go_on)

    def _go_on(self) -> None:
        self._resting, self._turn_ends = False, monotonic() + _TURN_S
        if self._lost:
            return
        self._answer_next()
        self._read_on()

    def _read_on(self) -> None:
        """Read again, also after the end: only a transport that reads learns that the caller has gone."""
        if self._task is None and not (self._choked or self._resting or self._transport.is_closing()):
            self._transport.resume_reading()

    def _answered(self, task: "asyncio.Future[Response]") -> None:
        request, self._task, self._turn_ends = self._request, None, monotonic() + _TURN_S
        self._request = None  # an idle connection keeps no body
        if self._lost or task.cancelled() or request is None:
            return
        words, self._last_words = self._last_words, b""
        self._write(request, self._broken(task.exception()) if task.exception() else task.result(), then=words)
        self._read_on()
        self._answer_next()

    def _broken(self, error: BaseException | None = None) -> Response:
        log.error("a request was not answered", exc_info=error or True)
        return Response(500, refusal(500, "the request could not be answered; the log of the server says why"))

    def _write(self, request: Request, answer: Response, then: bytes = b"") -> None:
        last = not request.keep_alive or self._server.closing or (self._half_closed and not self._waiting)
        if self._large.bytes:
            self._large.gone(len(request.body))
        self._transport.write(written(request, answer, self._server.date, last=last))
        if then and not last:
            self._transport.write(then)
        if last or then:
            self._end()

    def _refuse(self, status: int, message: str) -> None:
        """Refuse a request that has not arrived whole, then end; the requests that wait before it are not answered any more."""
        if self._ended:
            return
        if self._reading:
            self._large.gone(self._body_bytes)
        self._body = bytearray()
        self._server.refused(status)
        request = Request(b"GET", b"", {}, b"", self._peer)
        headers = b"retry-after: 1\r\n" if status == 503 else b""
        answer = Response(status, refusal(status, message), headers=headers)
        words = written(request, answer, self._server.date, last=True)
        if self._task is None:
            self._transport.write(words)
            self._end()
        else:  # after the answer that is still owed
            self._ended, self._last_words, self.deadline = True, words, _NEVER

    def _end(self) -> None:
        """Send no more, and read on for a moment: closing at once would reset what the caller has not read yet."""
        self._ended = True
        if self._half_closed:  # nothing comes any more
            self._transport.close()
        elif self._transport.can_write_eof() and not self._transport.is_closing():
            self._transport.write_eof()
        unread = self._choked or self._transport.is_closing()
        self.deadline = self._server.now + (self._server.config.body_timeout_s if unread else _LINGER_S)

    # ---- the end

    def finish(self) -> None:
        """End at once where nothing is under way; else the last answer ends the connection."""
        if self._task is None and not self._reading and not self._ended and not self._waiting:
            self._transport.close()

    def expire(self) -> None:
        """End the connection: its deadline is over."""
        if self._reading and not self._ended and not self._choked:
            self._refuse(408, "the request did not arrive in time")
        elif self._choked or self._transport.is_closing():
            self._transport.abort()  # the caller does not read its answers
        else:
            self.deadline = self._server.now + self._server.config.body_timeout_s  # for the rest of what was answered
            self._transport.close()

    def _set_deadline(self) -> None:
        config, now = self._server.config, self._server.now
        if self._choked:
            self.deadline = now + config.body_timeout_s
        elif not (self._ended or self._reading):
            self.deadline = _NEVER if self._task is not None else now + config.keep_alive_s
