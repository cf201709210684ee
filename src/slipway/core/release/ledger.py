"""The ledger of a model's stages: each entry carries the hash of the entry before, so that an altered entry is found.

A person who may write to the store may also write the whole chain anew. Then its head differs from a head noted elsewhere.
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
    """A transition as it is written down. An entry of a time before hashes has neither hash nor seal.

    Attributes:
        run_id: the MLflow run of the entry.
        transition: the transition.
        previous: the hash of the entry before; empty for the first.
        hash: the written hash, over the transition and `previous`.
        seal: the written seal, over the hash and whether the transition was made; empty while that is open.
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
    """One thing in a ledger that is wrong: altered, missing, or written past Slipway."""

    kind: Kind
    message: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.message}"


def hash_of(transition: Transition, previous: str) -> str:
    """Return the SHA-256 of a transition and the hash of the entry before. The seal covers whether the transition was made."""
    verdicts = [
        [v.gate, v.passed, v.reason, {key: value for key, value in sorted(v.numbers.items()) if value == value}]
        for v in sorted(transition.verdicts, key=lambda verdict: verdict.gate)
    ]
    values = [
        previous, transition.name, transition.action.value, transition.version, transition.stage.value, transition.by,
        transition.at_ms, transition.replaced, transition.comment, transition.digest, verdicts,
        *([transition.evidence, transition.kept] if transition.evidence or transition.kept else []),
        *([list(transition.overrides)] if transition.overrides else []),
        *([f"policy {transition.policy}"] if transition.policy else []),
        *([f"declared {transition.declared}"] if transition.declared else []),
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(values, ensure_ascii=False).encode()).hexdigest()


def digest_of(files: Mapping[str, bytes]) -> str:
    """Return the SHA-256 of files and their names; empty without files."""
    lines = "".join(f"{name}:{hashlib.sha256(content).hexdigest()}\n" for name, content in sorted(files.items()))
    return hashlib.sha256(lines.encode()).hexdigest() if files else ""


def seal_of(entry_hash: str, complete: bool) -> str:
    """Return the SHA-256 of an entry's hash and whether its transition was made."""
    return hashlib.sha256(f"{entry_hash}:{'made' if complete else 'not made'}".encode()).hexdigest()


def stages_after(transitions: Sequence[Transition]) -> dict[int, Stage]:
    """Return the stage of each moved version after transitions in order; Staging and Production have one holder each."""
    stages: dict[int, Stage] = {}
    for transition in transitions:
        if not transition.complete or not transition.action.moves:
            continue
        if transition.stage in HELD_STAGES:
            stages |= {v: Stage.ARCHIVED for v, stage in stages.items() if stage is transition.stage}
        stages[transition.version] = transition.stage
    return stages


def verify(entries: Sequence[Entry], stages: Mapping[int, Stage], head: str) -> list[Finding]:
    """Return everything that is wrong in a ledger, oldest first.

    Args:
        entries: the entries, oldest first.
        stages: the present stage of every registered version.
        head: the hash of the newest entry, as noted beside the entries.
    """
    return [*_altered(entries), *_broken_chain(entries, head), *_foreign(entries, stages)]


def verify_kept(entry: Entry, found: str) -> list[Finding]:
    """Return the findings on the files that are kept with an entry. found: their present digest; empty without files."""
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
        by_ledger, by_registry = expected.get(version, Stage.NONE), stages.get(version)
        if by_registry is None:
            findings.append(
                Finding(Kind.FOREIGN, f"version {version} is deleted; by the ledger it is {by_ledger.place}")
            )
        elif by_registry is not by_ledger:
            findings.append(
                Finding(
                    Kind.FOREIGN,
                    f"version {version} is {by_registry.place}, by the ledger {by_ledger.place}: it was moved past Slipway",
                )
            )
    return findings


def _named(entry: Entry) -> str:
    return f"'{entry.transition}' of {entry.transition.at:%Y-%m-%d %H:%M:%S} UTC (run {entry.run_id[:CHARACTERS]})"
