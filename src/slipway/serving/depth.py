"""How deep JSON is nested, before anything reads it."""

_ALIKE = bytes.maketrans(b"{}", b"[]")
_DROPPED = bytes(set(range(256)) - set(b'[]{}"'))  # what is kept is then made alike
_PIECE = 1 << 16


def is_deeper(body: bytes, most: int) -> bool:
    """Whether brackets are nested deeper than `most`, or are not closed. Takes some milliseconds for ten megabytes.

    All but brackets and quotes is dropped, then what is between quotes; a pair with nothing in it is taken away as often as
    deep is allowed, and what is left is too deep.
    """
    if b"\\" in body:
        body = body.replace(b"\\\\", b"").replace(b'\\"', b"")
    left = _without_texts(body.translate(_ALIKE, _DROPPED).replace(b'""', b""))
    for _ in range(most):
        if not left:
            return False
        left = left.replace(b"[]", b"")
    return bool(left)


def _without_texts(marks: bytes) -> bytes:
    """Drop what is between quotes; piece by piece, so that other threads have their turns, and in little memory."""
    kept, within = [], 0
    for at in range(0, len(marks), _PIECE):
        parts = marks[at : at + _PIECE].split(b'"')
        kept.append(b"".join(parts[within::2]))
        within = (within + len(parts) - 1) % 2
    return b"".join(kept)
