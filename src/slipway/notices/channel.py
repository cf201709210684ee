"""The seam of channels: each sends one notice and says how that ended. Every channel runs tests/notices/test_channels.py."""

from dataclasses import dataclass
from typing import Protocol

from slipway.notices.notice import Notice


@dataclass(frozen=True)
class Attempt:
    """One attempt to send, and how it ended.

    Attributes:
        sent: the receiver has the notice.
        final: another attempt would end the same way.
        why: what happened, without an address or a secret.
        rest_s: how long the receiver wants to be left alone, in seconds; None where it did not say.
    """

    sent: bool
    final: bool
    why: str
    rest_s: float | None = None


def sent(why: str) -> Attempt:
    return Attempt(True, True, why)


def refused(why: str) -> Attempt:
    """Return the outcome of an attempt that need not be made again."""
    return Attempt(False, True, why)


def failed(why: str, rest_s: float | None = None) -> Attempt:
    """Return the outcome of an attempt that may go well later."""
    return Attempt(False, False, why, rest_s)


class Channel(Protocol):
    """A way to one receiver."""

    def send(self, notice: Notice) -> Attempt:
        """Send a notice, within the channel's timeout; never raises for what a receiver or a network does.

        The id travels with the notice, the same on each attempt.
        """
