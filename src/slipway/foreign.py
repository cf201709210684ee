"""Errors of libraries and of the system in Slipway's words, for all edges alike."""

import errno
import sys
from collections.abc import Iterator

from slipway.errors import OutsideError, Refusal, SlipwayError


def in_own_words(error: BaseException) -> SlipwayError | None:
    """Return the SlipwayError that says what an error means, or that it is; None for an error that is not known."""
    if isinstance(error, SlipwayError):
        return error
    if disk_is_full(error):
        where = next(
            (f" ({link.filename})" for link in _chain(error) if isinstance(link, OSError) and link.filename), ""
        )
        return OutsideError(f"the disk is full{where}; free some space and run the command again")
    if denied := _denied(error):
        return denied
    if _is_of_requests(error, "RetryError"):
        return OutsideError(f"the tracking server answers with errors only: {one_line(error)}; its log says why")
    if _is_of_requests(error, "ConnectionError", "Timeout"):
        return OutsideError(f"the tracking server does not answer: {one_line(error)}; start one with `slipway up`")
    return None


def disk_is_full(error: BaseException) -> bool:
    """Say whether an error, or one that led to it, is of a disk without space."""
    return any(isinstance(link, OSError) and link.errno in (errno.ENOSPC, errno.EDQUOT) for link in _chain(error))


def one_line(error: BaseException) -> str:
    """Return the first line of an error's message."""
    return next(iter(str(error).strip().splitlines()), "no message")


def _denied(error: BaseException) -> SlipwayError | None:
    """Return the SlipwayError for an error by which a guarded server, or one with users, refused MLflow's client."""
    message = str(error)
    bare = "failed with error code 403" in message  # MLflow's own login, which says "Permission denied" and no more
    if getattr(error, "error_code", None) == "PERMISSION_DENIED" and not bare:
        return Refusal(message.removeprefix("PERMISSION_DENIED: "))
    if "failed with error code 401" in message:
        from slipway.identity import caller_unknown  # late: it imports psutil, which `--help` does not need

        return caller_unknown()
    if bare:
        return Refusal(
            "the tracking server does not let this user do that; an admin gives permissions, see `slipway user`"
        )
    return None


def _chain(error: BaseException) -> Iterator[BaseException]:
    link: BaseException | None = error
    seen: set[int] = set()
    while link is not None and id(link) not in seen:  # `raise error from error` makes a ring
        seen.add(id(link))
        yield link
        link = link.__cause__ or link.__context__


def _is_of_requests(error: BaseException, *names: str) -> bool:
    requests = sys.modules.get("requests")  # without an import of requests there is no error of requests
    if requests is None:
        return False
    kinds = tuple(getattr(requests.exceptions, name) for name in names)
    return any(isinstance(link, kinds) for link in _chain(error))
