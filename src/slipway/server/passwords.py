"""Passwords that were verified a moment ago, so that a client that asks a hundred times is not hashed a hundred times."""

import hmac
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from threading import Lock

REMEMBERED_S = 60.0
MOST = 1000

Check = Callable[[str, str], bool]
"""Whether a password is the one of a stored hash, as werkzeug's `check_password_hash` says: slow on purpose."""


class Remembering:
    """A check that does not repeat what it found right less than `REMEMBERED_S` ago.

    What is remembered is a hash of the stored hash and the password, under a key that is this process's own: neither can be
    had from it. Whoever asks read the stored hash just now, so another password, or no user any more, counts at once; the
    stored hash is salted, so it is one user's alone. What was wrong is not remembered: guessing stays slow.
    """

    def __init__(self, check: Check, now: Callable[[], float] = time.monotonic) -> None:
        self._check, self._now = check, now
        self._key, self._lock = secrets.token_bytes(32), Lock()
        self._until: OrderedDict[bytes, float] = OrderedDict()

    def __call__(self, stored: str, password: str) -> bool:
        said = f"{len(stored)}:{stored}{password}".encode("utf-8", "surrogatepass")
        known = hmac.digest(self._key, said, "sha256")
        with self._lock:
            if self._until.get(known, 0.0) > self._now():
                return True
        if not self._check(stored, password):  # outside the lock: others need not wait for it
            return False
        with self._lock:
            self._until[known] = self._now() + REMEMBERED_S
            self._until.move_to_end(known)
            while len(self._until) > MOST:
                self._until.popitem(last=False)
        return True
