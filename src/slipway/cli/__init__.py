"""The command line: it parses, calls one workflow and prints, and turns every failure into a sentence and an exit code."""

import os
import signal
import sys
import threading
from collections.abc import Sequence
from types import FrameType

from slipway.cli import failures
from slipway.cli.app import app


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0 done, 1 refused, 2 wrong usage, 3 something outside failed."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    # Libraries read these when a command imports them: no telemetry, no URL of each run on stdout, and OpenMP threads that
    # spin at a barrier for microseconds. With the default, milliseconds, a search takes twice as long when the cores are
    # shared; with threads that sleep at once it takes five times as long when they are not.
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    os.environ.setdefault("GOMP_SPINCOUNT", "10000")
    # About half a minute of retries with a server that fails; by default MLflow retries each request for two minutes.
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "4")
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
