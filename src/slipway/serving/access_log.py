"""A line of JSON for an answer: when, who asked for what, what was answered. No bodies, no keys, no query."""

import json
import random
import sys
from datetime import UTC, datetime
from typing import TextIO

from slipway.serving.messages import Request, Response


class AccessLog:
    """Writes a share of the answers, and every one with a status of 500 or more. Lines are kept until `flush`."""

    def __init__(self, share: float, to: TextIO | None = None):
        self._share, self._to = share, to or sys.stderr
        self._lines: list[str] = []

    def wants(self, status: int) -> bool:
        """Whether an answer of this status is to be written."""
        return status >= 500 or (self._share > 0 and (self._share >= 1 or random.random() < self._share))  # noqa: S311

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
        """Write what was kept."""
        if self._lines:
            lines, self._lines = self._lines, []
            self._to.write("\n".join(lines) + "\n")
            self._to.flush()
