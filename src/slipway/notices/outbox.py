"""The outbox: an SQLite file of the home with each notice for each channel, whether it was sent, and how far ledgers were read.

A ledger is what notices are made from, so nothing is lost while the outbox cannot be written: the cursor of that ledger stays
where it is, and the entries behind it are read again. A notice and a channel are in the outbox once, by the notice's id.
"""

import json
import os
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from slipway.notices.channel import Attempt
from slipway.notices.notice import Notice

_BUSY_S = 10.0
_TABLES = """
CREATE TABLE IF NOT EXISTS begun (one INTEGER PRIMARY KEY CHECK (one = 1), at_ms INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS cursors (ledger TEXT PRIMARY KEY, head TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS deliveries (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL, channel TEXT NOT NULL, notice TEXT NOT NULL, state TEXT NOT NULL,
    attempts INTEGER NOT NULL, made_ms INTEGER NOT NULL, due_ms INTEGER NOT NULL, settled_ms INTEGER, why TEXT NOT NULL,
    UNIQUE (id, channel)
);
CREATE INDEX IF NOT EXISTS due ON deliveries (channel, state, due_ms);
"""


class DeliveryState(StrEnum):
    PENDING = "pending"
    SENT = "sent"
    FAILED = "failed"


@dataclass(frozen=True)
class Delivery:
    """A notice on its way to one channel.

    Attributes:
        number: its number in the outbox.
        notice: the notice.
        channel: the name of the channel.
        state: pending, sent, or failed for good.
        attempts: how often it was tried.
        made_ms: the time at which it came into the outbox, in Unix milliseconds.
        due_ms: the time from which it is tried next.
        settled_ms: the time at which it was sent or failed; None while it is pending.
        why: how the last attempt ended.
    """

    number: int
    notice: Notice
    channel: str
    state: DeliveryState
    attempts: int
    made_ms: int
    due_ms: int
    settled_ms: int | None
    why: str


class Outbox:
    """The outbox in a file, which is made at the first use. Threads and processes may share it.

    Raises sqlite3.Error and OSError wherever the file cannot be used.
    """

    def __init__(self, file: Path):
        self._file = file
        self._since_ms: int | None = now_ms()

    def begin(self) -> None:
        """Make the file if there is none. From now on there are news, also while the file cannot be made."""
        if self._since_ms is None and self._file.exists():
            return
        self._file.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(self._file, os.O_RDONLY | os.O_CREAT, 0o600))
        with self._transaction() as database:
            for statement in _TABLES.split(";\n"):
                database.execute(statement)
            # An outbox that somebody took away begins anew: not with all that happened since this process began.
            database.execute("INSERT OR IGNORE INTO begun VALUES (1, ?)", [self._since_ms or now_ms()])
        self._since_ms = None

    @property
    def begun_ms(self) -> int:
        """The time of the first use: what happened before is no news."""
        with self._reading() as database:
            return int(database.execute("SELECT at_ms FROM begun").fetchone()[0])

    def cursors(self) -> dict[str, str]:
        """Return the hash of the last entry that was read of each ledger."""
        with self._reading() as database:
            return dict(database.execute("SELECT ledger, head FROM cursors"))

    def add(self, addressed: Iterable[tuple[Notice, str]], now_ms: int, cursor: tuple[str, str] | None = None) -> None:
        """Put notices in, each for a channel, and move the cursor of a ledger to a hash: both or neither.

        What is in already stays as it is.
        """
        rows = [(notice.id, channel, json.dumps(notice.as_dict()), now_ms, now_ms) for notice, channel in addressed]
        with self._writing() as database:
            database.executemany(
                "INSERT OR IGNORE INTO deliveries (id, channel, notice, state, attempts, made_ms, due_ms, why)"
                " VALUES (?, ?, ?, 'pending', 0, ?, ?, '')",
                rows,
            )
            if cursor:
                database.execute("INSERT OR REPLACE INTO cursors VALUES (?, ?)", cursor)

    def next_due(self, channel: str, now_ms: int) -> Delivery | None:
        """Return the delivery of a channel that has been due for longest; None for none."""
        with self._reading() as database:
            row = database.execute(
                "SELECT * FROM deliveries WHERE channel = ? AND state = 'pending' AND due_ms <= ?"
                " ORDER BY due_ms, number LIMIT 1",
                [channel, now_ms],
            ).fetchone()
        return _delivery(row) if row else None

    def note_attempt(self, delivery: Delivery, again_ms: int) -> None:
        """Count an attempt before it is made: while that cannot be written, nothing is sent over and over."""
        with self._writing() as database:
            database.execute(
                "UPDATE deliveries SET attempts = attempts + 1, due_ms = ? WHERE number = ?",
                [again_ms, delivery.number],
            )

    def settle(self, delivery: Delivery, outcome: Attempt, now_ms: int) -> None:
        """Write down how an attempt ended; where the receiver wants a rest, the whole channel rests."""
        state = DeliveryState.SENT if outcome.sent else DeliveryState.FAILED if outcome.final else DeliveryState.PENDING
        settled = None if state is DeliveryState.PENDING else now_ms
        with self._writing() as database:
            database.execute(
                "UPDATE deliveries SET state = ?, why = ?, settled_ms = ? WHERE number = ?",
                [state.value, outcome.why, settled, delivery.number],
            )
            if outcome.rest_s is not None:
                rested = now_ms + round(outcome.rest_s * 1000)
                database.execute(
                    "UPDATE deliveries SET due_ms = max(due_ms, ?) WHERE channel = ? AND state = 'pending'",
                    [rested, delivery.channel],
                )

    def renew(self, now_ms: int) -> int:
        """Let every delivery that failed be tried again, and return how many there are."""
        with self._writing() as database:
            return database.execute(
                "UPDATE deliveries SET state = 'pending', attempts = 0, made_ms = ?, due_ms = ?, settled_ms = NULL"
                " WHERE state = 'failed'",
                [now_ms, now_ms],
            ).rowcount

    def latest(self, most: int) -> list[Delivery]:
        """Return the deliveries, pending ones and the newest of all others, oldest first."""
        with self._reading() as database:
            rows = database.execute(
                "SELECT * FROM deliveries WHERE state = 'pending' OR number IN"
                " (SELECT number FROM deliveries WHERE state != 'pending' ORDER BY number DESC LIMIT ?) ORDER BY number",
                [most],
            ).fetchall()
        return [_delivery(row) for row in rows]

    def counts(self) -> Mapping[DeliveryState, int]:
        """Return how many deliveries are in each state."""
        with self._reading() as database:
            found = dict(database.execute("SELECT state, count(*) FROM deliveries GROUP BY state"))
        return {state: int(found.get(state.value, 0)) for state in DeliveryState}

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        self.begin()
        with closing(sqlite3.connect(self._file, timeout=_BUSY_S)) as database:
            database.row_factory = sqlite3.Row
            yield database

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        self.begin()
        with self._transaction() as database:
            yield database

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self._file, timeout=_BUSY_S, isolation_level=None)) as database:
            database.execute("BEGIN IMMEDIATE")
            yield database
            database.execute("COMMIT")  # closed before it, after an error or by a kill, nothing of it is there


def _delivery(row: sqlite3.Row) -> Delivery:
    return Delivery(
        row["number"], Notice.from_dict(json.loads(row["notice"])), row["channel"], DeliveryState(row["state"]),
        row["attempts"], row["made_ms"], row["due_ms"], row["settled_ms"], row["why"],
    )  # fmt: skip


def now_ms() -> int:
    return int(time.time() * 1000)
