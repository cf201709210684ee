"""API keys of callers, of which an endpoint knows the hashes alone."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping


class KeyRing:
    """The valid API keys. hashes: SHA-256 in hex; None lets everybody in, an empty tuple nobody."""

    def __init__(self, hashes: tuple[str, ...] | None):
        self._hashes = None if hashes is None else tuple(text.lower().encode() for text in hashes)

    @property
    def open(self) -> bool:
        return self._hashes is None

    def admits(self, headers: Mapping[bytes, bytes]) -> bool:
        """Whether a request names a valid key: `Authorization: Bearer KEY`, `X-Api-Key: KEY`, or the password of Basic.

        The answer takes the same time whichever key is the right one, and also where no key is.
        """
        if self._hashes is None:
            return True
        given = hashlib.sha256(key_of(headers)).hexdigest().encode()
        valid = False
        for known in self._hashes:
            valid |= hmac.compare_digest(given, known)
        return valid


def key_of(headers: Mapping[bytes, bytes]) -> bytes:
    """Return the key that a request names, valid or not; empty for none."""
    if key := headers.get(b"x-api-key"):
        return key
    scheme, _, rest = headers.get(b"authorization", b"").partition(b" ")
    match scheme.lower():
        case b"bearer":
            return rest.strip()
        case b"basic":  # sent by browsers; the name does not matter
            try:
                return base64.b64decode(rest, validate=True).partition(b":")[2]
            except binascii.Error:
                return b""
    return b""
