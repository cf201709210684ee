"""The notices of a home, opened: notices.yaml, the outbox, and a sender for each channel."""

import sqlite3
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from slipway.errors import FileUnusable
from slipway.notices.config import NoticesConfig
from slipway.notices.notice import Notice
from slipway.notices.outbox import Outbox
from slipway.notices.reading import read_config
from slipway.notices.sending import Sender
from slipway.settings import Settings
from slipway.tracking.server import find_server

_FILE = "notices.yaml"


@dataclass(frozen=True)
class Notices:
    """The notices of a home: the file that names them, and what comes of it."""

    settings: Settings
    file: Path
    config: NoticesConfig

    @cached_property
    def outbox(self) -> Outbox:
        """Return the outbox of the home."""
        return Outbox(outbox_file(self.settings.home))

    @cached_property
    def senders(self) -> list[Sender]:
        """Return a sender for each channel. Raises UsageError for a secret that is not set."""
        folder = self.settings.home / "notices"
        return [
            Sender(name, channel, self.outbox, self.config.retry, folder / f"{name}.lock")
            for name, channel in self.config.open(self.settings.variables).items()
        ]

    def addressed(self, *made: Notice) -> list[tuple[Notice, str]]:
        """Return notices, each with every channel that takes it."""
        return [(notice, channel) for notice in made for channel in self.config.channels_for(notice)]

    @property
    def board(self) -> str:
        """The address of the server that has the board; empty where none is known."""
        if self.config.board:
            return self.config.board.rstrip("/")
        named = self.settings.tracking_uri or ""
        if named.startswith("http"):
            return named.rstrip("/")
        server = find_server(self.settings.home)
        return server.uri if server else ""

    def check(self) -> None:
        """Raise UsageError for a secret that is not set, FileUnusable for an outbox that cannot be written."""
        self.config.open(self.settings.variables)
        try:
            self.outbox.begin()
        except (sqlite3.Error, OSError) as error:
            raise FileUnusable(
                f"the outbox of the notices in {self.settings.home} cannot be written: {error}"
            ) from error

    def as_dict(self) -> dict[str, Any]:
        return {
            "file": str(self.file),
            "channels": [
                {"name": each.name, "kind": each.kind, "notices": [*each.notices], "models": [*each.models]}
                for each in self.config.channels
            ],
        }

    def __str__(self) -> str:
        listed = "; ".join(f"{each.name} ({each.kind}): {each.words}" for each in self.config.channels)
        return f"notices go to {listed}"


def outbox_file(home: Path) -> Path:
    """Return the file of a home's outbox."""
    return home / "notices.db"


def notices_file(settings: Settings) -> Path:
    """Return the place of the notices.yaml that settings name, or else that of the home."""
    return settings.notices or settings.home / _FILE


def notices_of(settings: Settings) -> Notices | None:
    """Return the notices of a home; None for a home without any.

    Raises SpecInvalid for a notices.yaml that is wrong, FileUnusable for one that was named and is not there.
    """
    file = notices_file(settings)
    if not file.exists():
        if settings.notices:
            raise FileUnusable(f"{file} is not there; write it as docs/notices.md says, or leave --notices out")
        return None
    return Notices(settings, file, read_config(file))
