"""A line of JSON for an answer: when, who asked for what, what was answered. No bodies, no keys, no query."""

import json
import random
import sys
from contextlib import suppress
from datetime import UTC, datetime
from typing import TextIO

from slipway.serving.http.messages import Request, Response

MOST_FAILED = 25
"""Of the answers with a status of 500 or more, between two calls of `flush`: many callers must not fill the disk."""


class AccessLog:
    """Writes a share of the answers, and those with a status of 500 or more, or how many more of these there were.

    Lines are kept until `flush`.
    """

    def __init__(self, share: float, to: TextIO | None = None):
        self._share, self._to = share, to or sys.stderr
        self._lines: list[str] = []
        self._failed = 0

    def wants(self, status: int) -> bool:
        """Whether an answer of this status is to be written."""
        if self._share > 0 and (self._share >= 1 or random.random() < self._share):  # noqa: S311
            return True
        self._failed += status >= 500
        return status >= 500 and self._failed <= MOST_FAILED

    def write(
        self, request: Request, answer: Response, request_id: bytes, model: str, version: int, seconds: float
    ) -> None:
        """Keep the line of one answer. version: 0 for what is of no model."""
        line = {
            "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "id": request_id.decode(),
            "peer": request.peer,
            "method": request.method.decode("latin-1"),
            "path": request.target.partition(b"?")[0].decode("latin-1")[:200],
            "status": answer.status,
            "ms": round(seconds * 1000, 3),
            "bytes_in": len(request.body),
            "bytes_out": len(answer.body),
        }
        if version:
            line |= {"model": model, "version": version}
        self._lines.append(json.dumps(line))

    def flush(self) -> None:
        """Write what was kept, or let it go where the disk is full."""
        if self._failed > MOST_FAILED:
            at = datetime.now(UTC).isoformat(timespec="milliseconds")
            self._lines.append(json.dumps({"at": at, "failed_and_not_listed": self._failed - MOST_FAILED}))
        self._failed = 0
        if self._lines:
            lines, self._lines = self._lines, []
            with suppress(OSError):
                self._to.write("\n".join(lines) + "\n")
                self._to.flush()
