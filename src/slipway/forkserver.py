"""The process that worker processes are forked from: started early, so that its imports take nobody's time."""

import multiprocessing
from multiprocessing.context import ForkServerContext

# Imported there once, and shared by every worker that is forked from it, a replaced one included.
_PRELOADED = ["slipway.search.executors._worker", "sklearn.ensemble", "sklearn.linear_model"]


def context() -> ForkServerContext:
    """Return the multiprocessing context of Slipway's workers."""
    forkserver = multiprocessing.get_context("forkserver")
    forkserver.set_forkserver_preload(_PRELOADED)
    return forkserver


def warm_up() -> None:
    """Start the server process, which imports while the caller goes on. Here only the standard library is needed."""
    context().Process(target=int).start()
