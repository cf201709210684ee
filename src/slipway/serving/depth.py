"""How deep JSON is nested, before anything reads it."""

import re

_ALIKE = bytes.maketrans(b"{}", b"[]")
_DROPPED = bytes(set(range(256)) - set(b'[]{}"'))  # what is kept is then made alike
_ESCAPE = re.compile(rb"\\.", re.DOTALL)


def is_deeper(body: bytes, most: int) -> bool:
    """Whether brackets are nested deeper than `most`, or are not closed. Takes some milliseconds for ten megabytes.

    All but brackets and quotes is dropped, then what is between quotes; a pair with nothing in it is taken away as often as
    deep is allowed, and what is left is too deep.
    """
    if b"\\" in body:
        body = _ESCAPE.sub(b"", body)
    left = b"".join(body.translate(_ALIKE, _DROPPED).split(b'"')[::2])
    for _ in range(most):
        if not left:
            return False
        left = left.replace(b"[]", b"")
    return bool(left)
