"""The seam between a study and the place where its trials run."""

from dataclasses import dataclass
from typing import Protocol

from slipway.core.trials import Trial
from slipway.search.proposals import Proposal


@dataclass(frozen=True)
class Limits:
    """The limits of one trial; a trial beyond a limit is stopped and recorded as failed. None is no limit."""

    timeout_s: float | None = None
    memory_mb: int | None = None

    def too_long(self, took_s: float) -> str | None:
        """Say why a trial that took so long is stopped; None when the trial may go on."""
        if self.timeout_s is None or took_s < self.timeout_s:
            return None
        return f"stopped after {took_s:.1f} s: a trial may take {self.timeout_s:g} s (search.trial_timeout_s)"


class Executor(Protocol):
    """A place where trials run. The study keeps at most `capacity` trials running.

    An error in a trial, the death of its worker included, comes back as a failed Trial, never as an exception.
    """

    @property
    def capacity(self) -> int: ...

    def submit(self, proposal: Proposal) -> None:
        """Start a trial, or queue it, and return at once."""

    def next_finished(self) -> Trial:
        """Wait until any submitted trial has ended, and return that trial."""

    def close(self) -> None:
        """Stop the running trials and free all resources; nothing may be submitted after that."""
