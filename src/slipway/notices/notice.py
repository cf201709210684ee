"""A notice: one sentence on a model that somebody wants to know, with an id that is the same however often it is made."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any


class NoticeKind(StrEnum):
    """The kinds of notices, by which a channel chooses. `other` is a ledger entry of an action without a kind of its own."""

    WAITS_FOR_APPROVAL = "waits_for_approval"
    REFUSED = "refused"
    PROMOTED = "promoted"
    ROLLED_BACK = "rolled_back"
    ARCHIVED = "archived"
    APPROVED = "approved"
    REJECTED = "rejected"
    COMMENTED = "commented"
    POLICY_CHANGED = "policy_changed"
    CANARY_ENDED = "canary_ended"
    REPORT = "report"
    OTHER = "other"
    TEST = "test"


@dataclass(frozen=True)
class Notice:
    """One notice.

    Attributes:
        id: the same for the same event, so that a receiver can drop a repeat.
        kind: the kind.
        model: the registered model.
        version: the version; None for a notice on the model as a whole.
        stage: the stage that it is about; empty for none.
        title: a few words, as the subject of a mail.
        text: the sentences.
        link: the board's page; empty where no address of the board is known.
        by: the person who acted; empty for none.
        at_ms: the time of the event, in Unix milliseconds.
    """

    id: str
    kind: NoticeKind
    model: str
    version: int | None
    stage: str
    title: str
    text: str
    link: str
    by: str
    at_ms: int

    def as_dict(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "kind": self.kind.value,
            "model": self.model,
            "version": self.version,
            "stage": self.stage,
            "title": self.title,
            "text": self.text,
            "link": self.link,
            "by": self.by,
            "at": datetime.fromtimestamp(self.at_ms / 1000, UTC).isoformat(timespec="milliseconds"),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Notice":
        """Return the notice of a dict that `as_dict` made."""
        facts = {name: values[name] for name in values if name not in ("at", "kind")}
        at = datetime.fromisoformat(values["at"])
        return cls(kind=NoticeKind(values["kind"]), at_ms=round(at.timestamp() * 1000), **facts)


def id_of(*facts: object) -> str:
    """Return the id of the notice on an event that these facts name."""
    return hashlib.sha256("\n".join(map(str, facts)).encode("utf-8", "surrogatepass")).hexdigest()[:32]
