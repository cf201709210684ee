"""Files that are read from https: into a file without a name, so that nothing is left when a process dies."""

import hashlib
import tempfile
import time
from typing import IO, Any
from urllib.parse import urljoin

from slipway.core.urls import parse_url
from slipway.errors import FileUnusable
from slipway.sources.limits import ReadLimits

_CHUNK_BYTES = 1 << 20
_MOST_REDIRECTS = 5
_PATIENCE_S = (10, 60)  # to connect, and between two pieces


def download(
    url: str, shown: str, auth: tuple[str, str] | None, sha256: str | None, limits: ReadLimits
) -> tuple[IO[bytes], str]:
    """Return the open file of a URL, which has no name in any folder, and the digest of its content.

    Raises FileUnusable for another digest, and beyond the limits; requests' own errors otherwise.

    Args:
        url: the address without user and password.
        shown: the address for messages.
        auth: the user and the password.
        sha256: the digest that the file has to have; None for any.
        limits: the most bytes and the longest time.
    """
    import requests

    deadline, digest, size = time.monotonic() + limits.timeout_s, hashlib.sha256(), 0
    file = tempfile.TemporaryFile()  # noqa: SIM115 - the reader of the table closes it
    try:
        with requests.Session() as session, _answer(session, url, auth) as answer:
            answer.raise_for_status()
            # read1 gives what there is: a server that sends a byte now and then would hold a whole chunk up for days.
            while chunk := answer.raw.read1(_CHUNK_BYTES):
                size += len(chunk)
                limits.require(shown, size, deadline)
                digest.update(chunk)
                file.write(chunk)
        file.flush()
        if sha256 and digest.hexdigest() != sha256:
            raise FileUnusable(
                f"{shown} is not the file that is declared: its sha256 is {digest.hexdigest()}, not {sha256}; declare the "
                "new digest if the new file is meant"
            )
    except BaseException:
        file.close()
        raise
    return file, digest.hexdigest()


def _answer(session: Any, url: str, auth: tuple[str, str] | None) -> Any:
    """Follow redirects to https; the password goes to the declared host alone.

    Only an address of this machine leads on to http of this machine: others have no say in what is read here.
    """
    first = parse_url(url)
    for _ in range(_MOST_REDIRECTS + 1):
        here = parse_url(url)
        if here.scheme != "https" and not (here.scheme == "http" and here.is_loopback and first.is_loopback):
            raise FileUnusable(f"{first.shown} leads to {here.scheme}://{here.host}, which is not https")
        same = (here.scheme, here.host) == (first.scheme, first.host)
        answer = session.get(
            url,
            auth=auth if same else None,
            stream=True,
            allow_redirects=False,
            timeout=_PATIENCE_S,
            headers={"Accept-Encoding": "identity"},  # the digest is that of the file, not of its transport
        )
        if not answer.is_redirect:
            return answer
        url = urljoin(url, answer.headers["Location"])
        answer.close()
    raise FileUnusable(f"{first.shown} leads on more than {_MOST_REDIRECTS} times")
