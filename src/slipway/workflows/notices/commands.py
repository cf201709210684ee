"""`slipway notices`: what is pending, sent and failed; a check of notices.yaml, a test of a channel, one round of sending."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from slipway.errors import OutsideError, UnknownName, UsageError
from slipway.notices.channel import Attempt
from slipway.notices.composing import trial_notice
from slipway.notices.outbox import Delivery, DeliveryState, Outbox, now_ms
from slipway.settings import Settings
from slipway.workflows.notices.configured import Notices, notices_of, outbox_file
from slipway.workflows.notices.senders import send_once


@dataclass(frozen=True)
class Listed:
    """Deliveries, pending ones and the newest others, and how many there are of each state."""

    deliveries: Sequence[Delivery]
    counts: Mapping[DeliveryState, int]

    def as_dict(self) -> dict[str, Any]:
        return {
            **{state.value: self.counts.get(state, 0) for state in DeliveryState},
            "notices": [
                {
                    "notice": each.notice.as_dict(),
                    "channel": each.channel,
                    "state": each.state.value,
                    "attempts": each.attempts,
                    "next_attempt": _time(each.due_ms) if each.state is DeliveryState.PENDING else None,
                    "settled": each.settled_ms and _time(each.settled_ms),
                    "why": each.why,
                }
                for each in self.deliveries
            ],
        }

    def __str__(self) -> str:
        lines = [
            f"{_time(each.notice.at_ms)}  {each.state:7}  {each.channel}  {each.notice.title}"
            + (f" (attempt {each.attempts}: {each.why})" if each.why and each.state is not DeliveryState.SENT else "")
            for each in self.deliveries
        ]
        counted = ", ".join(f"{self.counts.get(state, 0)} {state}" for state in DeliveryState)
        return "\n".join([*lines, counted])


@dataclass(frozen=True)
class Tested:
    channel: str
    outcome: Attempt

    def as_dict(self) -> dict[str, Any]:
        return {"channel": self.channel, "sent": self.outcome.sent, "why": self.outcome.why}

    def __str__(self) -> str:
        return f"the receiver of '{self.channel}' took the test ({self.outcome.why})"


def listed(settings: Settings, last: int = 50) -> Listed:
    """Return the deliveries of the home's outbox; none where there is no outbox."""
    file = outbox_file(settings.home)
    if not file.exists():
        return Listed((), {})
    outbox = Outbox(file)
    return Listed(outbox.latest(last), outbox.counts())


def check(settings: Settings, file: Path | None = None) -> Notices:
    """Return what a home tells, and to whom. Raises SpecInvalid, UsageError and FileUnusable for what cannot work."""
    notices = notices_of(replace(settings, notices=file.resolve() if file else settings.notices))
    if notices is None:
        raise UsageError(f"there is no notices.yaml in {settings.home}; docs/notices.md says how to write one")
    notices.check()
    return notices


def test(settings: Settings, channel: str, file: Path | None = None) -> Tested:
    """Send a test notice to a channel at once. Raises UnknownName, OutsideError where it was not taken."""
    notices = check(settings, file)
    senders = {sender.name: sender for sender in notices.senders}
    if channel not in senders:
        raise UnknownName("channel", channel, senders)
    outcome = senders[channel].channel.send(trial_notice(channel, notices.board, now_ms()))
    if not outcome.sent:
        raise OutsideError(f"the test did not reach '{channel}': {outcome.why}; mend {notices.file} or the receiver")
    return Tested(channel, outcome)


def send(settings: Settings, file: Path | None = None, *, failed: bool = False) -> Listed:
    """Try what is due now, up to the first of each channel that fails. failed: those that failed for good as well."""
    notices = check(settings, file)
    if failed:
        notices.outbox.renew(now_ms())
    send_once(notices)
    return listed(settings)


def _time(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="seconds")
