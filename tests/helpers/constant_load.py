"""Clients that ask an endpoint without a pause, and hold each answer against what the version that it names would say."""

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

HOST = "127.0.0.1"
PATIENCE_S = 60.0


class Closed(Exception):
    """The connection was closed before a byte of the answer: the request may be sent again, as every HTTP client does."""


@dataclass
class Load:
    """kept: clients that keep their connection. fresh: clients that open one for each request.

    asked: content type and body of the requests, in turn. expected: the answers to these, by version.
    key: a header by which each client says that it is a caller of its own; "" for none. pause_s: between its requests.
    """

    port: int
    asked: list[tuple[str, bytes]]
    expected: Mapping[str, list[bytes]]
    kept: int = 16
    fresh: int = 2
    key: str = ""
    pause_s: float = 0.0
    answered: Counter[str] = field(default_factory=Counter)
    failed: list[str] = field(default_factory=list)
    sent_again: int = 0
    refused: int = 0
    longest_s: float = 0.0
    ending: bool = False
    _stop: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> "Load":
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def wait_for(self, version: str, more: int = 20, within_s: float = 120.0) -> None:
        """Return when so many more answers came from a version: movements follow each other faster than callers ask."""
        enough, began = self.answered[version] + more, time.monotonic()
        while self.answered[version] < enough:
            assert time.monotonic() - began < within_s, f"version {version} answers nobody"
            time.sleep(0.01)

    async def _run(self) -> None:
        await asyncio.gather(*(self._client(number, number < self.kept) for number in range(self.kept + self.fresh)))

    async def _client(self, number: int, keep: bool) -> None:
        link, turn = Link(self.port), number
        while not self._stop.is_set():
            turn = (turn + 1) % len(self.asked)
            began = time.monotonic()
            try:
                async with asyncio.timeout(PATIENCE_S):
                    await self._once(link, turn, keep, f"{self.key}: caller {number}\r\n" if self.key else "")
            except ConnectionRefusedError:
                if self.ending:
                    self.refused += 1
                    break
                self.failed.append("connection refused")
            except Exception as error:  # whatever it is, it is counted  # noqa: BLE001
                self.failed.append(f"{type(error).__name__}: {error}")
            self.longest_s = max(self.longest_s, time.monotonic() - began)
            if self.pause_s:
                await asyncio.sleep(self.pause_s)
        link.close()

    async def _once(self, link: "Link", turn: int, keep: bool, more: str) -> None:
        for attempt in range(3):
            was_kept = link.writer is not None
            try:
                await link.open()
                version, status, body, close = await ask(link.reader, link.writer, *self.asked[turn], keep, more)
            except (Closed, ConnectionResetError, BrokenPipeError):
                link.close()
                if attempt == 2 or (self.ending and not was_kept):
                    raise
                self.sent_again += 1
                continue
            if status != 200 or body != self.expected[version][turn]:
                self.failed.append(f"{status} version {version}: {body[:200]!r}")
            self.answered[version] += 1
            if close:
                link.close()
            return


class Link:
    """A client's connection, opened when it is needed."""

    def __init__(self, port: int):
        self.port, self.reader, self.writer = port, None, None

    async def open(self) -> None:
        if self.writer is None:
            self.reader, self.writer = await asyncio.open_connection(HOST, self.port)

    def close(self) -> None:
        if self.writer is not None:
            self.writer.close()
        self.reader = self.writer = None


async def ask(
    reader, writer, content_type: str, body: bytes, keep: bool, more: str = ""
) -> tuple[str, int, bytes, bool]:
    connection = "keep-alive" if keep else "close"
    head = f"POST /invocations HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: {content_type}\r\nConnection: {connection}\r\n"
    writer.write(f"{head}{more}Content-Length: {len(body)}\r\n\r\n".encode() + body)
    try:
        await writer.drain()
        said = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as error:
        if error.partial:
            raise
        raise Closed from None
    lines = said.decode().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:] if line)}
    answer = await reader.readexactly(int(headers["content-length"]))
    close = not keep or headers.get("connection", "").lower() == "close"
    return headers.get("x-slipway-version", ""), int(lines[0].split()[1]), answer, close
