"""The web-hook with plain JSON, signed: HMAC-SHA256 over the time and the body, so that nobody else's notice is taken."""

import hashlib
import hmac
import json
import time
from dataclasses import dataclass, field
from pathlib import Path

from slipway.notices.channel import Attempt
from slipway.notices.notice import Notice
from slipway.notices.posting import post


@dataclass(frozen=True)
class Webhook:
    """A channel. secret: the key of the signature; empty for notices without one."""

    url: str = field(repr=False)
    secret: str = field(repr=False)
    timeout_s: float
    ca: Path | None = None

    def send(self, notice: Notice) -> Attempt:
        body = json.dumps(notice.as_dict(), ensure_ascii=False).encode("utf-8", "replace")
        now = str(int(time.time()))
        headers = {"X-Slipway-Id": notice.id, "X-Slipway-Timestamp": now}
        if self.secret:
            headers["X-Slipway-Signature"] = signature(self.secret, now, body)
        return post(self.url, body, headers, self.timeout_s, self.ca)


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """Return the value of X-Slipway-Signature."""
    signed = hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256)
    return f"sha256={signed.hexdigest()}"
