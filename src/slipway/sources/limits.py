"""The limits of what is read from other machines."""

import time
from dataclasses import dataclass

from slipway.core.spec import Source
from slipway.errors import FileUnusable

TIMEOUT_S, MAX_MB = 3600.0, 8192


@dataclass(frozen=True)
class ReadLimits:
    """The longest time and the most megabytes that a source may take."""

    timeout_s: float = TIMEOUT_S
    max_mb: int = MAX_MB

    def require(self, shown: str, size: int, deadline: float) -> None:
        """Raise FileUnusable beyond a limit. size: the bytes so far; deadline: by the monotonic clock."""
        if size > self.max_mb * 1_000_000:
            raise FileUnusable(f"{shown} has more than {self.max_mb} MB; raise `max_mb` of the source if that is right")
        if time.monotonic() > deadline:
            raise FileUnusable(
                f"{shown} took longer than {self.timeout_s:g} s; raise `timeout_s` of the source if that is right"
            )


def limits_of(source: Source) -> ReadLimits:
    """Return the declared limits of a source."""
    return ReadLimits(source.timeout_s or TIMEOUT_S, source.max_mb or MAX_MB)
