"""The executors of trials: this process, worker processes, or Spark."""

from slipway.core.spec import Search
from slipway.search.executors._processes import Processes
from slipway.search.executors._protocol import Executor, Limits
from slipway.search.executors._serial import Serial
from slipway.search.question import Question
from slipway.spark import check_spark

__all__ = ["Executor", "Limits", "Processes", "Serial", "check_executor", "make_executor"]


def check_executor(search: Search) -> None:
    """Raise UsageError when the declared executor needs something that is not installed: Spark needs pyspark and Java."""
    if search.executor == "spark":
        check_spark()


def make_executor(question: Question) -> Executor:
    """Return the executor that the experiment declares, with its limits.

    Raises what `check_executor` raises, and ServiceFailed when Spark does not start.
    """
    search = question.experiment.search
    check_executor(search)
    if search.executor == "serial":
        return Serial(question)
    limits = Limits(search.trial_timeout_s, search.trial_memory_mb)
    if search.executor == "spark":
        from slipway.search.executors._spark import Spark  # it imports pyspark, which few have

        return Spark(question, limits)
    return Processes(question, limits, min(search.workers or Processes.cores(), search.most_trials))
