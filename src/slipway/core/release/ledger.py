"""The ledger of a model's stages: each entry carries the hash of the one before, so that what was altered does not add up.

Who may write to the store may also write the whole chain anew. What that cannot match is a head that somebody noted elsewhere.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from slipway.core.release.transitions import Transition
from slipway.types import HELD_STAGES, Stage

CHARACTERS = 12  # of a hash, as people are shown it


@dataclass(frozen=True)
class Entry:
    """A movement as it is written down.

    previous: hash of the entry before; empty for the first. hash: as written, over the movement and `previous`.
    seal: as written, over the hash and what became of the movement; empty while that is open. run_id: the MLflow run.
    An entry of a time before hashes has neither.
    """

    run_id: str
    transition: Transition
    previous: str = ""
    hash: str = ""
    seal: str = ""


class Kind(StrEnum):
    ALTERED = "altered"
    MISSING = "missing"
    FORKED = "forked"
    CUT_OFF = "cut off"
    FOREIGN = "foreign"


@dataclass(frozen=True)
class Finding:
    """One thing in a ledger that does not add up."""

    kind: Kind
    message: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.message}"


def hash_of(transition: Transition, previous: str) -> str:
    """Return the SHA-256 of a movement and the hash before it. What became of the movement is in the seal instead."""
    verdicts = [
        [v.gate, v.passed, v.reason, {key: value for key, value in sorted(v.numbers.items()) if value == value}]
        for v in sorted(transition.verdicts, key=lambda verdict: verdict.gate)
    ]
    told = [
        previous, transition.name, transition.action.value, transition.version, transition.stage.value, transition.by,
        transition.at_ms, transition.replaced, transition.comment, transition.digest, verdicts,
        *([transition.evidence, transition.kept] if transition.evidence or transition.kept else []),
        *([list(transition.overrides)] if transition.overrides else []),
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(told, ensure_ascii=False).encode()).hexdigest()


def digest_of(files: Mapping[str, bytes]) -> str:
    """Return the SHA-256 of files by their names; empty for none."""
    told = "".join(f"{name}:{hashlib.sha256(content).hexdigest()}\n" for name, content in sorted(files.items()))
    return hashlib.sha256(told.encode()).hexdigest() if files else ""


def seal_of(entry_hash: str, complete: bool) -> str:
    """Return the SHA-256 of an entry's hash and whether its movement was made."""
    return hashlib.sha256(f"{entry_hash}:{'made' if complete else 'not made'}".encode()).hexdigest()


def stages_after(transitions: Sequence[Transition]) -> dict[int, Stage]:
    """Return the stage of each version that was moved, after movements in order; Staging and Production have one holder."""
    stages: dict[int, Stage] = {}
    for transition in transitions:
        if not transition.complete or not transition.action.moves:
            continue
        if transition.stage in HELD_STAGES:
            stages |= {v: Stage.ARCHIVED for v, stage in stages.items() if stage is transition.stage}
        stages[transition.version] = transition.stage
    return stages


def verify(entries: Sequence[Entry], stages: Mapping[int, Stage], head: str) -> list[Finding]:
    """Return everything that does not add up, oldest first.

    entries: oldest first. stages: of every registered version now. head: hash of the newest entry, as noted beside them.
    """
    return [*_altered(entries), *_broken_chain(entries, head), *_foreign(entries, stages)]


def verify_kept(entry: Entry, found: str) -> list[Finding]:
    """Return what does not add up in the files that are kept with an entry. found: their digest now, empty for none."""
    if entry.transition.kept == found:
        return []
    if not found:
        return [Finding(Kind.MISSING, f"the evidence of {_named(entry)} is gone")]
    return [Finding(Kind.ALTERED, f"the evidence of {_named(entry)} is not what was kept")]


def _altered(entries: Sequence[Entry]) -> list[Finding]:
    findings = []
    for entry in entries:
        if not entry.hash:
            continue
        if entry.hash != hash_of(entry.transition, entry.previous):
            findings.append(Finding(Kind.ALTERED, f"{_named(entry)} is not what was written"))
        elif not entry.seal:
            findings.append(Finding(Kind.CUT_OFF, f"{_named(entry)} has no end; `slipway reconcile` gives it one"))
        elif entry.seal != seal_of(entry.hash, entry.transition.complete):
            findings.append(Finding(Kind.ALTERED, f"{_named(entry)} did not end as it says"))
    return findings


def _broken_chain(entries: Sequence[Entry], head: str) -> list[Finding]:
    known = {entry.hash for entry in entries if entry.hash}
    followers: dict[str, list[Entry]] = {}
    findings = []
    for entry in entries:
        if not entry.hash:
            if followers:
                findings.append(Finding(Kind.FOREIGN, f"{_named(entry)} was written past Slipway: it has no hash"))
            continue
        followers.setdefault(entry.previous, []).append(entry)
        if entry.previous and entry.previous not in known:
            findings.append(Finding(Kind.MISSING, f"the entry before {_named(entry)} is gone"))
    for after in followers.values():
        if len(after) > 1:
            findings.append(Finding(Kind.FORKED, f"{' and '.join(map(_named, after))} follow the same entry"))
    if head and head not in known:
        findings.append(Finding(Kind.MISSING, f"the newest entry ({head[:CHARACTERS]}) is gone"))
    return findings


def _foreign(entries: Sequence[Entry], stages: Mapping[int, Stage]) -> list[Finding]:
    expected = stages_after([entry.transition for entry in entries])
    findings = []
    for version in sorted(expected.keys() | stages.keys()):
        told, found = expected.get(version, Stage.NONE), stages.get(version)
        if found is None:
            findings.append(Finding(Kind.FOREIGN, f"version {version} is deleted; by the ledger it is in {told}"))
        elif found is not told:
            findings.append(
                Finding(
                    Kind.FOREIGN, f"version {version} is in {found}, by the ledger in {told}: it was moved past Slipway"
                )
            )
    return findings


def _named(entry: Entry) -> str:
    return f"'{entry.transition}' of {entry.transition.at:%Y-%m-%d %H:%M:%S} UTC (run {entry.run_id[:CHARACTERS]})"
