"""The sentence that a failed command prints, and its exit code."""

import contextlib
import os
import select
import shlex
import signal
import traceback
from collections.abc import Sequence

import click

from slipway.cli._terminal import for_terminal
from slipway.errors import OutsideError, Refusal, UsageError
from slipway.foreign import disk_is_full, in_own_words, one_line

REFUSED, WRONG_USAGE, OUTSIDE, INTERRUPTED, CLOSED_PIPE = 1, 2, 3, 130, 141
_EXIT_CODES = {Refusal: REFUSED, UsageError: WRONG_USAGE, OutsideError: OUTSIDE}


class Terminated(KeyboardInterrupt):
    """SIGTERM, or SIGHUP of a closed terminal, unwound like Ctrl-C; `number` is the signal's."""

    def __init__(self, number: int = signal.SIGTERM):
        super().__init__()
        self.number = number


def report(error: BaseException, arguments: Sequence[str]) -> int:
    """Print on stderr what went wrong, with the traceback only under --debug, and return the exit code."""
    if isinstance(error, click.exceptions.Exit):
        return error.exit_code
    if isinstance(error, BrokenPipeError) and _nobody_reads():
        _let_go_of_output()
        return CLOSED_PIPE
    with contextlib.suppress(OSError):  # stderr may be what failed
        if "--debug" in arguments:
            traceback.print_exception(error)
        if isinstance(error, click.ClickException):
            error.show()
            return error.exit_code
        message, code = explain(error, arguments)
        click.echo(f"slipway: {for_terminal(message)}", err=True)
        if disk_is_full(error):
            _let_go_of_output()
        return code
    return OUTSIDE


def explain(error: BaseException, arguments: Sequence[str]) -> tuple[str, int]:
    """Return the sentence and the exit code of an error."""
    if isinstance(error, Terminated):
        return "stopped", 128 + error.number
    if isinstance(error, KeyboardInterrupt | click.Abort):
        return "stopped", INTERRUPTED
    if own := in_own_words(error):
        return str(own), next((code for kind, code in _EXIT_CODES.items() if isinstance(own, kind)), OUTSIDE)
    again = "" if "--debug" in arguments else f"; run again with --debug for the traceback: {_again(arguments)}"
    return f"unexpected {type(error).__name__}: {one_line(error)}{again}", OUTSIDE


def _again(arguments: Sequence[str]) -> str:
    return shlex.join(["slipway", "--debug", *arguments])


def _nobody_reads() -> bool:
    """Return whether the reader of stdout or stderr is gone, as in `slipway history NAME | head -1`."""
    poll = select.poll()
    for descriptor in (1, 2):
        poll.register(descriptor, 0)
    return any(event & select.POLLERR for _, event in poll.poll(0))


def _let_go_of_output() -> None:
    """Point stdout to nowhere, so that the interpreter's last flush of stdout does not fail once more."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
