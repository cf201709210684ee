"""The command line: parse, call one workflow, print; every way to fail becomes a sentence and an exit code here."""

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
    # Read by libraries when a command imports them: no telemetry, no addresses of each run on stdout, and OpenMP threads
    # that spin at a barrier for microseconds. The default, milliseconds, takes twice as long when the cores are shared;
    # sleeping at once takes five times as long when they are not.
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    os.environ.setdefault("GOMP_SPINCOUNT", "10000")
    # Half a minute of patience with a server that fails; MLflow's own is two for each request, and one follows the other.
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "4")
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, _terminate)
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # as under nohup
            signal.signal(signal.SIGHUP, _terminate)
    try:
        # Not `app.main`: that answers Ctrl-C and closed pipes itself, with other exit codes.
        with app.make_context("slipway", list(given)) as context:
            app.invoke(context)
        sys.stdout.flush()
        return 0
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - the edge: every failure gets its sentence here
        return failures.report(error, given)


def _terminate(number: int, _frame: FrameType | None) -> None:
    """Unwind as for Ctrl-C, so that whatever was started is stopped and open runs are closed."""
    raise failures.Terminated(number)
