"""The command line: it parses, calls one workflow and prints, and turns every failure into a sentence and an exit code."""

import os
import signal
import sys
import threading
from collections.abc import Sequence
from types import FrameType

from slipway.cli import failures
from slipway.cli.app import app
from slipway.settings import quiet_libraries


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0 done, 1 refused, 2 wrong usage, 3 something outside failed."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    quiet_libraries(os.environ)
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, _terminate)
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # nohup ignores it
            signal.signal(signal.SIGHUP, _terminate)
    try:
        # Not `app.main`, which handles Ctrl-C and closed pipes itself, with other exit codes.
        with app.make_context("slipway", list(given)) as context:
            app.invoke(context)
        sys.stdout.flush()
        return 0
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - the edge: every failure gets its sentence here
        return failures.report(error, given)


def _terminate(number: int, _frame: FrameType | None) -> None:
    """Unwind as for Ctrl-C, so that started processes are stopped and open runs are closed."""
    raise failures.Terminated(number)
