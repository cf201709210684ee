"""Which callers a canary answers: always the same ones, in every process, after every restart.

A caller is a number from 0 to 9,999, made of what it sends about itself. The canary has the lowest of them, so that a larger
share takes callers from the first version and gives none back.
"""

from hashlib import blake2b

from slipway.serving.keys import key_of
from slipway.serving.messages import Request

BUCKETS = 10_000


def bucket(request: Request, header: bytes) -> int:
    """Return the number of a request's caller: by this header, else by its API key, else by its address."""
    said = request.headers.get(header) or key_of(request.headers) or request.peer.encode()
    return int.from_bytes(blake2b(said, digest_size=8).digest(), "big") % BUCKETS


def lowest(share: float) -> int:
    """Return below which number callers are the canary's."""
    return round(share * BUCKETS)
