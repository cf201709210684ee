"""How deep JSON is nested, before anything reads it."""

import numpy as np

_ALIKE = bytes.maketrans(b"{}", b"[]")
_DROPPED = bytes(set(range(256)) - set(b'[]{}"'))  # what is kept is then made alike
_STEPS = np.zeros(256, np.int64)
_STEPS[ord("[")], _STEPS[ord("]")] = 1, -1
_PIECE = 1 << 16


def is_deeper(body: bytes, most: int) -> bool:
    """Whether brackets are nested deeper than `most`, or are not closed. Takes some milliseconds for ten megabytes.

    All but brackets and quotes is dropped, then what is between quotes. Piece by piece, so that other threads have their turns.
    """
    depth, within, at = 0, 0, 0
    while at < len(body):
        piece = _piece(body, at)
        at += len(piece)
        if b"\\" in piece:
            piece = piece.replace(b"\\\\", b"").replace(b'\\"', b"")
        parts = piece.translate(_ALIKE, _DROPPED).split(b'"')
        marks = b"".join(parts[within::2])
        within = (within + len(parts) - 1) % 2
        if marks:
            depths = depth + np.cumsum(_STEPS[np.frombuffer(marks, np.uint8)])
            if depths.max() > most or depths.min() < 0:
                return True
            depth = int(depths[-1])
    return depth > 0


def _piece(body: bytes, at: int) -> bytes:
    """Return the next piece, which ends behind what a backslash stands before."""
    piece = body[at : at + _PIECE]
    backslashes = len(piece) - len(piece.rstrip(b"\\"))
    return body[at : at + _PIECE + backslashes % 2]
