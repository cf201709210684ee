"""Figures drawn in a process beside, while the caller stores the model.

matplotlib takes half a second to be imported and a tenth of a second for a figure, and all of it holds the interpreter's lock.
"""

import contextlib
import signal
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any, NamedTuple

from slipway import forkserver


class FigureOrder(NamedTuple):
    """The order of figures: the name of a function of `slipway.reports.plots`, and what it is called with.

    name: the name of the figure; empty for a function that returns several by their names.
    """

    name: str
    function: str
    given: tuple[Any, ...]
    more: Mapping[str, Any]


class Drawing:
    """Figures that are drawn while the caller goes on; without a process beside, in a thread.

    A process beside that dies, as where memory is short, costs no figure: the thread draws it.

    Args:
        beside: whether to start a process, which the fork server of a search gives in no time.
    """

    def __init__(self, *, beside: bool) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="drawing")
        self._beside = _Beside() if beside else None
        self._drawn: list[Future[dict[str, bytes]]] = []

    def __enter__(self) -> "Drawing":
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        self._thread.shutdown(cancel_futures=True)
        if self._beside:
            self._beside.stop()

    def order(self, name: str, function: str, *given: Any, **more: Any) -> None:
        """Let a figure be drawn, or with an empty name those that the function names."""
        self._drawn.append(self._thread.submit(self._draw, FigureOrder(name, function, given, more)))

    def pictures(self) -> dict[str, bytes]:
        """Wait for all figures that were ordered and return them as PNG, by name. Raises what drawing one raised."""
        return {name: picture for each in self._drawn for name, picture in each.result().items()}

    def _draw(self, order: FigureOrder) -> dict[str, bytes]:
        pictures = self._beside.ask(order) if self._beside else None
        return pictures_of(order) if pictures is None else pictures


def pictures_of(order: FigureOrder) -> dict[str, bytes]:
    """Draw what is ordered and return it as PNG, by name."""
    from slipway.reports import plots

    made = getattr(plots, order.function)(*order.given, **order.more)
    figures = {order.name: made} if order.name else made
    return {name: plots.png(figure) for name, figure in figures.items()}


class _Beside:
    """The process beside, and this end of the pipe to it."""

    def __init__(self) -> None:
        self._pipe, theirs = forkserver.context().Pipe()
        self._process = forkserver.context().Process(target=_serve, args=(theirs,), name="drawing", daemon=True)
        self._process.start()
        theirs.close()

    def ask(self, order: FigureOrder) -> dict[str, bytes] | None:
        """Return the pictures; None where the process died, or failed: drawn here, the failure has a traceback."""
        try:
            self._pipe.send(order)
            pictures: dict[str, bytes] | None = self._pipe.recv()
        except (EOFError, OSError):
            return None
        return pictures

    def stop(self) -> None:
        self._pipe.close()
        self._process.kill()
        self._process.join()


def _serve(pipe: Connection) -> None:
    """Draw each order that comes through the pipe, until the pipe closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which stops this process
    from slipway.reports import plots  # noqa: F401 - while the parent still prepares the first order

    with contextlib.suppress(EOFError, OSError):
        while True:
            order = pipe.recv()
            try:
                pictures = pictures_of(order)
            except Exception:  # the parent draws it again, and says why that fails  # noqa: BLE001
                pictures = None
            pipe.send(pictures)
