"""One POST to a web-hook: no redirect is followed, no answer is read further than needed, no address gets into a record."""

import email.utils
import time
from collections.abc import Mapping
from pathlib import Path

import requests
from requests.utils import get_auth_from_url

from slipway.notices.channel import Attempt, failed, refused, sent
from slipway.version import __version__

# Of the answers 4xx, those that another attempt may turn into a success.
_LATER = (408, 425, 429)
_MOST_REST_S = 86_400.0


def post(url: str, body: bytes, headers: Mapping[str, str], timeout_s: float, ca: Path | None = None) -> Attempt:
    """Post JSON and say how it ended. ca: a file of certificates to trust in place of the usual ones."""
    named = {"Content-Type": "application/json", "User-Agent": f"slipway/{__version__}", **headers}
    try:
        # `stream`: the answer's body is never read. `auth`: without any, requests would take a password from ~/.netrc.
        with requests.post(
            url, data=body, headers=named, timeout=timeout_s, allow_redirects=False, stream=True,
            auth=in_url if any(in_url := get_auth_from_url(url)) else (lambda r: r),
            verify=str(ca) if ca else True,
        ) as answer:  # fmt: skip
            return _outcome(answer.status_code, answer.headers)
    except requests.exceptions.SSLError:
        return failed("TLS failed: the certificate is not trusted, or the receiver speaks no TLS")
    except requests.exceptions.Timeout:
        return failed(f"no answer within {timeout_s:g} s")
    except requests.RequestException as error:  # its text has the whole address, which may be a secret
        return failed(f"no connection ({_reason(error)})")


def _outcome(status: int, headers: Mapping[str, str]) -> Attempt:
    if 200 <= status < 300:
        return sent(f"status {status}")
    if 300 <= status < 400:
        return refused(f"status {status}: redirects are not followed; name the address that it leads to")
    if status < 500 and status not in _LATER:
        return refused(f"status {status}")
    return failed(f"status {status}", _rest_s(headers.get("Retry-After", "")))


def _rest_s(text: str) -> float | None:
    """Return the seconds of a Retry-After header, which has seconds or a date; None for none, and a day at most."""
    try:
        seconds = (
            float(text) if text.strip().isdigit() else email.utils.parsedate_to_datetime(text).timestamp() - time.time()
        )
    except (ValueError, TypeError, OverflowError):
        return None
    return min(max(seconds, 0.0), _MOST_REST_S)


def _reason(error: BaseException) -> str:
    """Return the operating system's word for a failed connection, which names no address."""
    link: BaseException | None = error
    seen: set[int] = set()
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        if isinstance(link, OSError) and link.strerror and not isinstance(link, requests.RequestException):
            return link.strerror
        reason = getattr(link, "reason", None) or (link.args[0] if link.args else None)
        link = reason if isinstance(reason, BaseException) else link.__cause__ or link.__context__
    return type(error).__name__
