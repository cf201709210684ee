"""The throttle of password guesses: after some wrong ones a user name, an address, and soonest both together have to wait."""

import hmac
import ipaddress
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

FORGET_S = 15 * 60.0
MOST = 10_000
"""The most counts, and the most places of which a user is known; the one that was used longest ago goes first."""
_KNOWN_S = 30 * 24 * 3600.0
_MOST_WRONG = 8


@dataclass(frozen=True)
class Allowance:
    """How many wrong passwords are free of a wait, and how long the wait may become that doubles with each further one."""

    free: int
    most_s: float

    def wait_s(self, wrong: int) -> float:
        return min(2.0 ** min(wrong - self.free, 32), self.most_s) if wrong >= self.free else 0.0


OF_BOTH, OF_ADDRESS, OF_USER = Allowance(5, 60.0), Allowance(20, 60.0), Allowance(100, 2.0)
"""Of a user name from one address; of an address, which may be that of a whole office; of a user name from all addresses.

The last is loose, since whoever guesses from many addresses would otherwise keep the user out.
"""


@dataclass
class _Count:
    wrong: int = 0
    until: float = 0.0
    last: float = 0.0
    passwords: list[bytes] = field(default_factory=list)


class Guesses:
    """The wrong passwords of a while ago. What it holds of names, addresses and passwords are hashes under a key of its own.

    A user who logged in from an address before does not wait there for what others did: neither for wrong passwords of that
    address with other names, nor for those of that name from other addresses.
    Not for several threads.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic, most: int = MOST) -> None:
        self._now = now
        self._most = most
        self._key = secrets.token_bytes(32)
        self._counts: OrderedDict[bytes, _Count] = OrderedDict()
        self._known: OrderedDict[bytes, float] = OrderedDict()

    def __len__(self) -> int:
        return len(self._counts) + len(self._known)

    def wait_s(self, user: str, address: str) -> float:
        """Return how long the next password of a user from an address has to wait; 0 when it may be compared now."""
        now = self._now()
        return max(0.0, *(self._at(key).until - now for key, _ in self._bounds(user, address)))

    def begin(self, user: str, address: str) -> None:
        """Count a password as wrong while it is compared, so that many at once gain nothing. `right` or `wrong` follows."""
        for key, bound in self._bounds(user, address):
            self._count(key, bound, +1)

    def right(self, user: str, address: str) -> None:
        """Take the count back: the password was right."""
        self.again(user, address)
        pair = self._pair(user, address)
        self._counts.pop(pair, None)
        self._known[pair] = self._now()
        self._known.move_to_end(pair)
        while len(self._known) > self._most:
            self._known.popitem(last=False)

    def again(self, user: str, address: str) -> None:
        """Take the count back: the wrong password of before, as of a program that was not told the new one, is no guess."""
        for key, bound in self._bounds(user, address):
            self._count(key, bound, -1)

    def wrong(self, user: str, address: str, password: bytes) -> float:
        """Leave the count as it is, and return how long the next password has to wait.

        password: a hash of it, see `was_wrong`.
        """
        passwords = self._count(self._pair(user, address), OF_BOTH, 0).passwords
        passwords[:] = [*passwords, password][-_MOST_WRONG:]
        return self.wait_s(user, address)

    def was_wrong(self, user: str, address: str, password: bytes) -> bool:
        """Say whether this password of the user was wrong from this address lately."""
        return password in self._at(self._pair(user, address)).passwords

    def hash_of(self, stored: str, password: str) -> bytes:
        """Return a hash of a password and of what it was compared with, which a changed password changes."""
        return self._hash("password", stored, password)

    def _bounds(self, user: str, address: str) -> Iterator[tuple[bytes, Allowance]]:
        pair = self._pair(user, address)
        yield pair, OF_BOTH
        if self._now() - self._known.get(pair, -_KNOWN_S) >= _KNOWN_S:
            yield self._hash("address", _place(address)), OF_ADDRESS
            yield self._hash("user", user), OF_USER

    def _pair(self, user: str, address: str) -> bytes:
        return self._hash("both", user, _place(address))

    def _at(self, key: bytes) -> _Count:
        """Return the count of a key as it is now; it is not kept."""
        count = self._counts.get(key)
        return count if count is not None and self._now() - count.last < FORGET_S else _Count()

    def _count(self, key: bytes, bound: Allowance, change: int) -> _Count:
        count = self._counts[key] = self._at(key)
        count.wrong = max(0, count.wrong + change)
        count.last = self._now()
        count.until = count.last + bound.wait_s(count.wrong) if change > 0 else count.until
        if count.wrong < bound.free:
            count.until = 0.0
        self._counts.move_to_end(key)
        while len(self._counts) > self._most:
            self._counts.popitem(last=False)
        return count

    def _hash(self, *parts: str) -> bytes:
        text = "".join(f"{len(part)}:{part}" for part in parts)
        return hmac.digest(self._key, text.encode("utf-8", "surrogatepass"), "sha256")


def _place(address: str) -> str:
    """Return an address, or the network of an IPv6 address: whoever has one has as many as he wants of the same /64."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if parsed.version == 4:
        return address
    return str(parsed.ipv4_mapped or ipaddress.ip_network((int(parsed) >> 64 << 64, 64)))
