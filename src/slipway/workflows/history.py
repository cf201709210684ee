"""`slipway history`: what moved, when, by whom, why; what held a stage at some time; whether all of it adds up."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from slipway.core.ledger import CHARACTERS, Finding, digest_of, verify, verify_kept
from slipway.core.movements import Movement
from slipway.progress import bar
from slipway.registry.ledger import MADE, Ledger
from slipway.registry.stages import holders
from slipway.registry.versions import list_versions
from slipway.settings import Settings
from slipway.types import Stage
from slipway.workflows.movement import open_registry

_HELD = (Stage.PRODUCTION, Stage.STAGING)


@dataclass(frozen=True)
class History:
    """What holds each stage now, and the movements, oldest first."""

    name: str
    holders: Mapping[Stage, int]
    movements: tuple[Movement, ...]

    def as_dict(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "stages": {stage.value: version for stage, version in self.holders.items()},
            "movements": [movement.as_dict() for movement in self.movements],
        }

    def __str__(self) -> str:
        held = ", ".join(f"{stage}: version {version}" for stage, version in self.holders.items()) or "no stage is held"
        lines = [line for movement in self.movements for line in _told(movement)]
        return "\n".join([f"{self.name} · {held}", *(lines or ["nothing has moved yet"])])


@dataclass(frozen=True)
class Moment:
    """What held each stage at a time, and the movements that had put it there, with who decided and on which verdicts."""

    name: str
    at: datetime
    movements: Mapping[Stage, Movement]

    def as_dict(self) -> dict[str, Any]:
        stages = {stage.value: movement.as_dict() for stage, movement in self.movements.items()}
        return {"name": self.name, "at": self.at.isoformat(), "stages": stages}

    def __str__(self) -> str:
        lines = [f"{self.name} at {self.at:%Y-%m-%d %H:%M:%S} UTC"]
        for stage in _HELD:
            movement = self.movements.get(stage)
            lines.append(f"{stage}: version {movement.version}, since" if movement else f"{stage}: nothing")
            lines += [f"  {line}" for line in _told(movement)] if movement else []
        return "\n".join(lines)


@dataclass(frozen=True)
class Verified:
    """What does not add up in a ledger. head: the hash of its newest entry, to be noted somewhere else."""

    name: str
    entries: int
    head: str
    findings: tuple[Finding, ...]

    def as_dict(self) -> dict[str, Any]:
        found = [{"kind": finding.kind.value, "message": finding.message} for finding in self.findings]
        return {"name": self.name, "verified": not found, "entries": self.entries, "head": self.head, "findings": found}

    def __str__(self) -> str:
        lines = [f"  {finding}" for finding in self.findings]
        verdict = f"{len(lines)} thing(s) do not add up" if lines else "all of it adds up"
        return "\n".join(
            [f"{self.name}: {self.entries} entries, head {self.head[:CHARACTERS] or '-'}; {verdict}", *lines]
        )


def history(settings: Settings, name: str, last: int | None = None) -> History:
    """Return the movements of a registered model, the newest `last` of them. Raises UnknownName when there is no such model."""
    client, ledger = open_registry(settings, name)
    return History(name, holders(client, name), tuple(ledger.movements(last)))


def history_at(settings: Settings, name: str, at: datetime) -> Moment:
    """Return what held the stages at a time (UTC). Raises UnknownName when there is no such model."""
    _, ledger = open_registry(settings, name)
    before_ms = int(at.timestamp() * 1000)
    found = {stage: _holding(ledger, stage, before_ms) for stage in _HELD}
    return Moment(name, at, {stage: movement for stage, movement in found.items() if movement})


def verify_history(settings: Settings, name: str) -> Verified:
    """Hold the ledger against itself, the evidence that is kept with it, and the registry.

    Raises UnknownName when there is no such model.
    """
    client, ledger = open_registry(settings, name)
    entries, head = ledger.entries(), ledger.head
    stages = {version.number: version.stage for version in list_versions(client, name)}
    findings = verify(entries, stages, head)
    keeping = [entry for entry in entries if entry.movement.kept and entry.movement.complete]
    with bar(len(keeping), "evidence") as progress:
        for entry in keeping:
            findings += verify_kept(entry, digest_of(ledger.kept(entry)))
            progress.update()
    return Verified(name, len(entries), head, tuple(findings))


def _holding(ledger: Ledger, stage: Stage, before_ms: int) -> Movement | None:
    """The movement by which a version held a stage at a time: the last into it, if the version did not leave it again.

    The server finds both, so that it takes the same time in a ledger of any length.
    """
    made = f"{MADE} and attributes.start_time <= {before_ms}"
    into = ledger.entries(1, f"{made} and tags.`slipway.stage` = '{stage}'")
    if not into:
        return None
    movement = into[0].movement
    of_it = f"tags.`slipway.version` = '{movement.version}' and attributes.start_time >= {movement.at_ms}"
    last = ledger.entries(1, f"{made} and {of_it}")
    return movement if last[0].movement.stage is stage else None


def _told(movement: Movement) -> list[str]:
    said = f" — {movement.comment}" if movement.comment else ""
    line = f"{movement.at:%Y-%m-%d %H:%M:%S} UTC  {movement}, by {movement.by}{said}"
    return [line, *(f"    {'✓' if v.passed else '✗'} {v.gate}: {v.reason}" for v in movement.verdicts)]
