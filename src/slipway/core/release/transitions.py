"""Transitions of versions through the stages, and the version that a rollback returns to."""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from slipway.errors import UnknownName
from slipway.types import HELD_STAGES, Stage, Verdict

APPROVAL = "approval"
"""The name of the gate whose verdict people give."""
POLICY = "policy"
"""The name of the gate that holds a declaration to the release policy, or to the declaration in Production."""
UNSEEN = "unseen"
"""The key of a number in a failed verdict that a reviewer may override: how few rows the champion was not trained on."""


class Action(StrEnum):
    PROMOTE = "promote"
    ROLLBACK = "rollback"
    ARCHIVE = "archive"
    REFUSE = "refuse"
    JUDGE = "judge"
    APPROVE = "approve"
    POLICY = "policy"
    REJECT = "reject"
    COMMENT = "comment"
    REDECLARE = "redeclare"

    @property
    def judges(self) -> bool:
        """Whether an entry with this action and with evidence carries the verdicts of the gates on that evidence."""
        return self in (Action.JUDGE, Action.PROMOTE, Action.REFUSE)

    @property
    def decides(self) -> bool:
        """Whether a person decides with the action on evidence that was judged."""
        return self in (Action.APPROVE, Action.REJECT)

    @property
    def moves(self) -> bool:
        """Whether the action moves a version to another stage."""
        return self in (Action.PROMOTE, Action.ROLLBACK, Action.ARCHIVE)


@dataclass(frozen=True)
class Transition:
    """One transition of a version, or a decision on one: refused, judged, approved, rejected, commented on.

    It may also be a release policy that was set or approved, or what is declared again about a release.

    Attributes:
        name: the registered model.
        action: the action.
        version: the version; 0 for the release policy, which is of no version.
        stage: the stage after the transition, or the stage that the decision is on; of a comment, the version's stage; None
            for the release policy.
        by: the person.
        at_ms: the time, in Unix milliseconds.
        replaced: the version that held the stage before; of a judgement or refusal, the champion that it compared with.
        comment: the person's reason.
        verdicts: the verdicts that it rests on.
        complete: False when the process ended in the middle of it.
        digest: the registered digest of the version's files.
        evidence: the hash of the judged inputs, see `slipway.core.release.judgement`; of a release policy, its digest.
        kept: the digest of the files that are kept with it.
        overrides: of an approval, the gates that its reason overrides.
        policy: the digest of the release policy that the verdicts went by; empty without one.
        declared: the mark of the redeclaration that the verdicts went by; empty for the declaration of the run.
    """

    name: str
    action: Action
    version: int
    stage: Stage
    by: str
    at_ms: int
    replaced: int | None = None
    comment: str = ""
    verdicts: tuple[Verdict, ...] = field(default=())
    complete: bool = True
    digest: str = ""
    evidence: str = ""
    kept: str = ""
    overrides: tuple[str, ...] = ()
    policy: str = ""
    declared: str = ""

    def as_dict(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "action": self.action.value,
            "version": self.version,
            "stage": self.stage.value,
            "replaced": self.replaced,
            "by": self.by,
            "at": self.at.isoformat(timespec="seconds"),
            "comment": self.comment,
            "complete": self.complete,
            "digest": self.digest,
            "evidence": self.evidence,
            "kept": self.kept,
            "overrides": list(self.overrides),
            "policy": self.policy,
            "declared": self.declared,
            "verdicts": [verdict.as_dict() for verdict in self.verdicts],
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Transition":
        """Return the transition of a dict that `as_dict` made; its time is in whole seconds.

        The dict may come over the network from a server of an older Slipway, whose approvals override nothing and which
        knows no policy.
        """
        return cls(
            name=values["name"],
            action=Action(values["action"]),
            version=values["version"],
            stage=Stage(values["stage"]),
            by=values["by"],
            at_ms=int(datetime.fromisoformat(values["at"]).timestamp() * 1000),
            replaced=values["replaced"],
            comment=values["comment"],
            verdicts=tuple(Verdict(**verdict) for verdict in values["verdicts"]),
            complete=values["complete"],
            digest=values["digest"],
            evidence=values["evidence"],
            kept=values["kept"],
            overrides=tuple(values.get("overrides", ())),
            policy=values.get("policy", ""),
            declared=values.get("declared", ""),
        )

    @property
    def passed(self) -> bool:
        """Whether every verdict passed but those on approval, which people give afterwards."""
        return all(verdict.passed for verdict in self.verdicts if verdict.gate != APPROVAL)

    @property
    def at(self) -> datetime:
        return datetime.fromtimestamp(self.at_ms / 1000, UTC)

    @property
    def mark(self) -> str:
        """The name of a redeclaration in the judgements that go by it; one that is set back to what it was is another one."""
        return f"{self.kept[:32]} {self.at_ms}"

    @property
    def of_policy(self) -> bool:
        """Whether the entry is of the release policy, and of no version."""
        return self.version == 0

    def __str__(self) -> str:
        if self.of_policy:
            return self._words_on_policy()
        done = {
            Action.PROMOTE: f"version {self.version} → {self.stage}",
            Action.ROLLBACK: f"rolled back to version {self.version}",
            Action.ARCHIVE: f"version {self.version} archived",
            Action.REFUSE: f"version {self.version} refused {self.stage}",
            Action.JUDGE: f"version {self.version} judged for {self.stage}",
            Action.APPROVE: f"version {self.version} approved for {self.stage}",
            Action.REJECT: f"version {self.version} rejected for {self.stage}",
            Action.COMMENT: f"version {self.version} commented on",
            Action.REDECLARE: f"version {self.version} declared again",
        }[self.action]
        replaced = f", replacing version {self.replaced}" if self.replaced and self.action.moves else ""
        overriding = f", overriding {', '.join(self.overrides)}" if self.overrides else ""
        return f"{done}{replaced}{overriding}{self._cut_off}"

    @property
    def _cut_off(self) -> str:
        return "" if self.complete else " (cut off before it was done)"

    def _words_on_policy(self) -> str:
        if self.action is Action.APPROVE:
            in_place = " by an admin, in place of those whom the policy before asked for" if self.overrides else ""
            return f"release policy approved{in_place}{self._cut_off}"
        changes = "; ".join(verdict.reason for verdict in self.verdicts)
        return f"release policy set{f': {changes}' if changes else ''}{self._cut_off}"


@dataclass(frozen=True)
class ServedBeside:
    """The champion: the version in Production or, while Production is empty, the version that was there last.

    live: whether the version is in Production now.
    """

    version: int
    live: bool = True

    def __str__(self) -> str:
        return (
            f"version {self.version} in Production"
            if self.live
            else f"version {self.version}, which was in Production last"
        )

    @property
    def subject(self) -> str:
        """The words for the champion as the subject of a sentence, with the comma that they need."""
        return str(self) if self.live else f"{self},"


def stays_in_production(version: int) -> str:
    """Return why the version in Production cannot be moved to Staging, and what can be done instead."""
    return f"version {version} is in Production; promote another version there, roll back, or archive it"


def before_production(transitions: Sequence[Transition], existing: Container[int] | None = None) -> int | None:
    """Return the version that a rollback returns to: the one that was in Production before the present one.

    The stage that the earlier version is in now does not matter. Rolling back twice goes back twice, never to and fro. When the
    version in Production was archived and no other took its place, a rollback returns to that version. The newest transitions
    alone give the same answer as all of them, or None.

    Args:
        transitions: the transitions, oldest first.
        existing: the versions that still exist; None for all.

    Returns None when there is no version to return to.
    """
    held: list[int] = []
    live = False
    for transition in transitions:
        if not transition.complete or not transition.action.moves:
            continue
        if transition.action is Action.ROLLBACK:
            while held and held[-1] != transition.version:
                held.pop()
            held, live = held or [transition.version], True
        elif transition.stage is Stage.PRODUCTION:
            held, live = [*held, transition.version], True
        elif held and transition.version == held[-1]:  # archived, or moved back to Staging
            live = False
    # The present version may be there more than once: archived, and promoted again.
    earlier = [version for version in held if version != held[-1]] if live else held
    return next((version for version in reversed(earlier) if existing is None or version in existing), None)


def stage_named(text: str) -> Stage:
    """Return the stage of that name, in upper or lower case. Raises UnknownName."""
    for known in Stage:
        if known.lower() == text.lower():
            return known
    raise UnknownName("stage", text, Stage)


def held_stage_named(text: str) -> Stage:
    """Return the stage that a version is to be moved to. Raises UnknownName, which lists Staging and Production."""
    try:
        return stage_named(text)
    except UnknownName:
        raise UnknownName("stage", text, HELD_STAGES) from None
