"""The fork server of the search's workers, started early, so that its imports run beside the caller's own."""

import multiprocessing
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.context import ForkServerContext, ForkServerProcess
from types import ModuleType
from typing import Any

# Imported once by the fork server and shared by every worker, also by those that replace a dead one.
_PRELOADED = ["slipway.search.executors._worker", "sklearn.ensemble", "sklearn.linear_model"]


class WorkerProcess(ForkServerProcess):
    """A process that knows nothing of the caller's main module.

    multiprocessing would run the main module once more in each process: a script that calls `Experiment.run` at its top level
    would start a search in each of its workers.
    """

    @staticmethod
    def _Popen(process_obj: Any) -> Any:  # noqa: N802 - multiprocessing's name
        with _other_main():
            return ForkServerProcess._Popen(process_obj)


class WorkerContext(ForkServerContext):
    """The multiprocessing context of Slipway's workers."""

    Process = WorkerProcess


def context() -> WorkerContext:
    """Return the multiprocessing context of Slipway's workers."""
    multiprocessing.get_context("forkserver").set_forkserver_preload(_PRELOADED)
    return WorkerContext()


def warm_up() -> None:
    """Start the fork server, which imports while the caller goes on. The call itself imports only the standard library."""
    context().Process(target=int).start()


@contextmanager
def _other_main() -> Iterator[None]:
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main
