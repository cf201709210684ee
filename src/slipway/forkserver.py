"""The fork server of the search's workers, started early, so that its imports run beside the caller's own."""

import multiprocessing
from multiprocessing.context import ForkServerContext

# Imported once by the fork server and shared by every worker, also by those that replace a dead one.
_PRELOADED = ["slipway.search.executors._worker", "sklearn.ensemble", "sklearn.linear_model"]


def context() -> ForkServerContext:
    """Return the multiprocessing context of Slipway's workers."""
    forkserver = multiprocessing.get_context("forkserver")
    forkserver.set_forkserver_preload(_PRELOADED)
    return forkserver


def warm_up() -> None:
    """Start the fork server, which imports while the caller goes on. The call itself imports only the standard library."""
    context().Process(target=int).start()
