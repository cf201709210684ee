"""The seam between a study and the place where its trials run."""

from dataclasses import dataclass
from typing import Protocol

from slipway.core.trials import Trial
from slipway.search.proposals import Proposal


@dataclass(frozen=True)
class Limits:
    """What one trial may take; one that takes more is stopped and recorded as failed. None: no limit."""

    timeout_s: float | None = None
    memory_mb: int | None = None

    def too_long(self, took_s: float) -> str | None:
        """Say why a trial that took so long is stopped; None when it may go on."""
        if self.timeout_s is None or took_s < self.timeout_s:
            return None
        return f"stopped after {took_s:.1f} s: a trial may take {self.timeout_s:g} s (search.trial_timeout_s)"


class Executor(Protocol):
    """Runs trials. At most `capacity` are out at a time: the study submits no more than that.

    Whatever goes wrong in a trial, its worker's death included, comes back as a failed Trial, never as an exception.
    """

    @property
    def capacity(self) -> int: ...

    def submit(self, proposal: Proposal) -> None:
        """Start a trial, or queue it; returns at once."""

    def next_finished(self) -> Trial:
        """Wait for any trial that is out, and return it."""

    def close(self) -> None:
        """Stop what is running and free everything; called once, after which nothing is submitted."""
