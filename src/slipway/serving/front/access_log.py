"""The access log: a line of JSON for an answer, with time, caller, path and status. No bodies, no keys, no query."""

import json
import random
import sys
from contextlib import suppress
from datetime import UTC, datetime
from typing import TextIO

from slipway.serving.http.messages import Request, Response

MOST_FAILED = 25
"""So many answers with a status of 500 or more are listed between two calls of `flush`: callers must not fill the disk."""


class AccessLog:
    """Writes a share of the answers, and answers with a status of 500 or more beside that share.

    AccessLog lists at most MOST_FAILED of the latter between two calls of `flush`, and says the number of the others. Lines are
    kept until `flush`.
    """

    def __init__(self, share: float, to: TextIO | None = None):
        self._share, self._to = share, to or sys.stderr
        self._lines: list[str] = []
        self._failed = 0

    def wants(self, status: int) -> bool:
        """Whether an answer with this status is to be written."""
        if self._share > 0 and (self._share >= 1 or random.random() < self._share):  # noqa: S311
            return True
        self._failed += status >= 500
        return status >= 500 and self._failed <= MOST_FAILED

    def write(
        self, request: Request, answer: Response, request_id: bytes, model: str, version: int, seconds: float
    ) -> None:
        """Keep the line of one answer.

        Args:
            request: The request.
            answer: The answer.
            request_id: The id that the answer carries.
            model: The model that was asked; "" for none.
            version: The version that answered, or would have; 0 for none.
            seconds: The time that the answer took.
        """
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
        """Write the lines that were kept, or drop them where the disk is full."""
        if self._failed > MOST_FAILED:
            at = datetime.now(UTC).isoformat(timespec="milliseconds")
            self._lines.append(json.dumps({"at": at, "failed_and_not_listed": self._failed - MOST_FAILED}))
        self._failed = 0
        if self._lines:
            lines, self._lines = self._lines, []
            with suppress(OSError):
                self._to.write("\n".join(lines) + "\n")
                self._to.flush()
