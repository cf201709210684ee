"""The history of a registered model: its transitions, the holders of its stages now and before, the check of its ledger."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from slipway.core.release.ledger import CHARACTERS, Finding
from slipway.core.release.transitions import Transition
from slipway.types import HELD_STAGES, Stage


@dataclass(frozen=True)
class History:
    """The present holder of each stage, and the transitions, oldest first."""

    name: str
    holders: Mapping[Stage, int]
    transitions: tuple[Transition, ...]

    def as_dict(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "stages": {stage.value: version for stage, version in self.holders.items()},
            "movements": [transition.as_dict() for transition in self.transitions],
        }

    @classmethod
    def from_dict(cls, payload: Mapping[str, Any]) -> "History":
        stages = {Stage(stage): version for stage, version in payload["stages"].items()}
        return cls(payload["name"], stages, tuple(map(Transition.from_dict, payload["movements"])))

    def __str__(self) -> str:
        held = ", ".join(f"{stage}: version {version}" for stage, version in self.holders.items()) or "no stage is held"
        lines = [line for transition in self.transitions for line in _lines(transition)]
        return "\n".join([f"{self.name} · {held}", *(lines or ["nothing has moved yet"])])


@dataclass(frozen=True)
class Moment:
    """The transitions by which versions held the stages at a time, each with its decider and verdicts."""

    name: str
    at: datetime
    transitions: Mapping[Stage, Transition]

    def as_dict(self) -> dict[str, Any]:
        stages = {stage.value: transition.as_dict() for stage, transition in self.transitions.items()}
        return {"name": self.name, "at": self.at.isoformat(), "stages": stages}

    @classmethod
    def from_dict(cls, payload: Mapping[str, Any]) -> "Moment":
        stages = {Stage(stage): Transition.from_dict(transition) for stage, transition in payload["stages"].items()}
        return cls(payload["name"], datetime.fromisoformat(payload["at"]), stages)

    def __str__(self) -> str:
        lines = [f"{self.name} at {self.at:%Y-%m-%d %H:%M:%S} UTC"]
        for stage in reversed(HELD_STAGES):
            transition = self.transitions.get(stage)
            lines.append(f"{stage}: version {transition.version}, since" if transition else f"{stage}: nothing")
            lines += [f"  {line}" for line in _lines(transition)] if transition else []
        return "\n".join(lines)


@dataclass(frozen=True)
class Verified:
    """The findings of the check of a ledger.

    Attributes:
        name: the registered model.
        entries: the number of entries.
        head: the hash of the newest entry, for people to note somewhere else.
        findings: everything that is wrong.
    """

    name: str
    entries: int
    head: str
    findings: tuple[Finding, ...]

    def as_dict(self) -> dict[str, Any]:
        found = [{"kind": finding.kind.value, "message": finding.message} for finding in self.findings]
        return {"name": self.name, "verified": not found, "entries": self.entries, "head": self.head, "findings": found}

    def __str__(self) -> str:
        lines = [f"  {finding}" for finding in self.findings]
        verdict = f"{len(lines)} thing(s) are wrong" if lines else "it is whole and unaltered"
        return "\n".join(
            [f"{self.name}: {self.entries} entries, head {self.head[:CHARACTERS] or '-'}; {verdict}", *lines]
        )


def _lines(transition: Transition) -> list[str]:
    # In one line and without control characters, so that no comment and no own gate's reason can look like an entry.
    reason = f" — {_line(transition.comment)}" if transition.comment else ""
    line = f"{transition.at:%Y-%m-%d %H:%M:%S} UTC  {transition}, by {transition.by}{reason}"
    verdicts = () if transition.of_policy else transition.verdicts
    return [line, *(f"    {'✓' if v.passed else '✗'} {v.gate}: {_line(v.reason)}" for v in verdicts)]


def _line(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
