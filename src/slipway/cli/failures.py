"""The sentence that a failed command prints, and its exit code."""

import contextlib
import errno
import os
import select
import shlex
import signal
import sys
import traceback
from collections.abc import Iterator, Sequence

import click

from slipway.cli._terminal import for_terminal
from slipway.errors import OutsideError, Refusal, SlipwayError, UsageError

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
        if _disk_is_full(error):
            _let_go_of_output()
        return code
    return OUTSIDE


def explain(error: BaseException, arguments: Sequence[str]) -> tuple[str, int]:
    """Return the sentence and the exit code of an error."""
    if isinstance(error, SlipwayError):
        return str(error), next((code for kind, code in _EXIT_CODES.items() if isinstance(error, kind)), OUTSIDE)
    if isinstance(error, Terminated):
        return "stopped", 128 + error.number
    if isinstance(error, KeyboardInterrupt | click.Abort):
        return "stopped", INTERRUPTED
    if _disk_is_full(error):
        where = next(
            (f" ({link.filename})" for link in _chain(error) if isinstance(link, OSError) and link.filename), ""
        )
        return f"the disk is full{where}; free some space and run the command again", OUTSIDE
    if denied := _denied(error):
        return denied
    if _is_of_requests(error, "RetryError"):
        return f"the tracking server answers with errors only: {_one_line(error)}; its log says why", OUTSIDE
    if _is_of_requests(error, "ConnectionError", "Timeout"):
        return f"the tracking server does not answer: {_one_line(error)}; start one with `slipway up`", OUTSIDE
    again = "" if "--debug" in arguments else f"; run again with --debug for the traceback: {_again(arguments)}"
    return f"unexpected {type(error).__name__}: {_one_line(error)}{again}", OUTSIDE


def _denied(error: BaseException) -> tuple[str, int] | None:
    """Return sentence and exit code of an error by which a guarded server, or one with users, refused MLflow's client."""
    message = str(error)
    bare = "failed with error code 403" in message  # MLflow's own login, which says "Permission denied" and no more
    if getattr(error, "error_code", None) == "PERMISSION_DENIED" and not bare:
        return message.removeprefix("PERMISSION_DENIED: "), REFUSED
    if "failed with error code 401" in message:
        from slipway.identity import caller_unknown  # late: it imports psutil, which `--help` does not need

        return str(caller_unknown()), WRONG_USAGE
    if bare:
        return (
            "the tracking server does not let this user do that; an admin gives permissions, see `slipway user`",
            REFUSED,
        )
    return None


def _again(arguments: Sequence[str]) -> str:
    return shlex.join(["slipway", "--debug", *arguments])


def _chain(error: BaseException) -> Iterator[BaseException]:
    link: BaseException | None = error
    seen: set[int] = set()
    while link is not None and id(link) not in seen:  # `raise error from error` makes a ring
        seen.add(id(link))
        yield link
        link = link.__cause__ or link.__context__


def _disk_is_full(error: BaseException) -> bool:
    return any(isinstance(link, OSError) and link.errno in (errno.ENOSPC, errno.EDQUOT) for link in _chain(error))


def _is_of_requests(error: BaseException, *names: str) -> bool:
    requests = sys.modules.get("requests")  # without an import of requests there is no error of requests
    if requests is None:
        return False
    kinds = tuple(getattr(requests.exceptions, name) for name in names)
    return any(isinstance(link, kinds) for link in _chain(error))


def _one_line(error: BaseException) -> str:
    return next(iter(str(error).strip().splitlines()), "no message")


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
