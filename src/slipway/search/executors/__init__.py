"""Where trials run: here one after the other, or in worker processes."""

from slipway.search.executors._processes import Processes
from slipway.search.executors._protocol import Executor, Limits
from slipway.search.executors._serial import Serial
from slipway.search.question import Question

__all__ = ["Executor", "Limits", "Processes", "Serial", "make_executor"]


def make_executor(question: Question) -> Executor:
    """Return the executor that the experiment declares, with its limits."""
    search = question.experiment.search
    if search.executor == "serial":
        return Serial(question)
    limits = Limits(search.trial_timeout_s, search.trial_memory_mb)
    return Processes(question, limits, min(search.workers or Processes.cores(), search.trials))
