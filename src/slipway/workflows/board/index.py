"""All models with their versions' statuses and what waits at them, for lists of a thousand models.

The index keeps what it made of each model for as long as neither the head of the model's ledger nor the stage of a version
changes. Both are read anew for each page, by three queries for all models, so a page never shows the state before a transition.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from threading import Lock
from typing import NamedTuple, Protocol

from slipway.core.release.judgement import Eligibility, eligibility, redeclared_by
from slipway.core.release.policies import Policies
from slipway.core.release.transitions import ServedBeside, Transition
from slipway.core.release.work import ReviewState, Waiting, policy_waiting, review_state, waiting
from slipway.registry.same_model import same_among
from slipway.registry.trust import DIGEST
from slipway.registry.versions import Version
from slipway.reports.board import VersionStatus
from slipway.types import HELD_STAGES, Stage
from slipway.workflows.board.status import author_of, version_status
from slipway.workflows.promotion.rule import authors


class LedgerHead(NamedTuple):
    """The experiment of a ledger, and the hash of its newest entry."""

    experiment: int
    hash: str


@dataclass(frozen=True)
class LedgerRow:
    """One entry of a ledger as a list needs it. closed: whether nobody writes to it any more."""

    run_id: str
    transition: Transition
    closed: bool


class AllModels(Protocol):
    """The registered models of a server; see `slipway.server.tables.models`."""

    def goals(self) -> dict[str, str]: ...
    def versions(self) -> dict[str, tuple[Version, ...]]: ...
    def tags(self, names: Iterable[str]) -> Mapping[tuple[str, int], Mapping[str, str]]: ...


class AllLedgers(Protocol):
    """The ledgers of a server; see `slipway.server.tables.ledgers`."""

    def heads(self) -> dict[str, LedgerHead]: ...
    def rows(
        self, names: Mapping[int, str], known: Callable[[int], Mapping[str, LedgerRow]]
    ) -> dict[int, list[LedgerRow]]: ...
    def with_verdicts(self, rows: Iterable[LedgerRow]) -> dict[str, LedgerRow]: ...


@dataclass(frozen=True)
class VersionFacts:
    """One version in a list of models."""

    version: Version
    status: VersionStatus
    state: ReviewState


@dataclass(frozen=True)
class ModelFacts:
    """One model in a list of models.

    Attributes:
        name: the registered model.
        goal: its description.
        versions: its versions, newest first.
        waiting: what waits at them.
        changed_ms: the time of the newest entry or version, in Unix milliseconds.
    """

    name: str
    goal: str
    versions: tuple[VersionFacts, ...] = ()
    waiting: tuple[Waiting, ...] = ()
    changed_ms: int = 0

    @property
    def owner(self) -> str:
        """The author of the newest version; empty where that is not known."""
        return author_of(self.versions[0].version) if self.versions else ""


class _Key(NamedTuple):
    """The facts that change whenever a model's facts change."""

    head: LedgerHead | None
    versions: tuple[Version, ...]


@dataclass(frozen=True)
class _Kept:
    key: _Key
    facts: ModelFacts
    rows: Mapping[str, LedgerRow]
    closed: bool

    def is_of(self, key: _Key) -> bool:
        return self.closed and self.key == key


class BoardIndex:
    """The facts of all models, of which only those of changed models are made anew."""

    def __init__(
        self, models: AllModels, ledgers: AllLedgers, policies: Callable[[str], Policies] = lambda _: Policies()
    ) -> None:
        """Make an empty index.

        Args:
            models: the registered models.
            ledgers: their ledgers.
            policies: returns the release policies of a model; asked for a model alone whose ledger has an entry on one.
        """
        self._models = models
        self._ledgers = ledgers
        self._policies = policies
        self._kept: dict[str, _Kept] = {}
        self._lock = Lock()

    def models(self) -> list[ModelFacts]:
        """Return every registered model by name, as of now."""
        with self._lock:
            # The heads first: an entry that is written meanwhile is read with the rows, and once more for the next page.
            heads, goals, versions = self._ledgers.heads(), self._models.goals(), self._models.versions()
            keys = {name: _Key(heads.get(name), versions.get(name, ())) for name in sorted(goals)}
            kept = {name: self._kept[name] for name in keys if name in self._kept}
            self._kept = kept | self._made({n: k for n, k in keys.items() if n not in kept or not kept[n].is_of(k)})
            return [replace(self._kept[name].facts, goal=goals[name]) for name in keys]

    def model(self, name: str) -> tuple[ModelFacts | None, tuple[LedgerRow, ...]]:
        """Return a model and the entries of its ledger, oldest first, as of now; nothing for one that is not registered."""
        facts = next((model for model in self.models() if model.name == name), None)
        kept = self._kept.get(name)
        return facts, tuple(kept.rows.values()) if kept else ()

    def _made(self, keys: Mapping[str, _Key]) -> dict[str, _Kept]:
        if not keys:
            return {}
        names = {key.head.experiment: name for name, key in keys.items() if key.head}
        rows = self._ledgers.rows(names, lambda experiment: self._rows_of(names[experiment], experiment))
        judged = [row for each in rows.values() for row in _newest_judgements(each)]
        verdicts = self._ledgers.with_verdicts(row for row in judged if not row.transition.verdicts)
        tags = self._models.tags(keys)
        made = {}
        for name, key in keys.items():
            ours = [verdicts.get(r.run_id, r) for r in (rows.get(key.head.experiment, []) if key.head else [])]
            versions = [replace(each, tags=tags.get((name, each.number), {})) for each in key.versions]
            transitions = [row.transition for row in ours]
            policies = self._policies(name) if any(each.of_policy for each in transitions) else Policies()
            facts = facts_of(name, versions, transitions, policies)
            made[name] = _Kept(key, facts, {row.run_id: row for row in ours}, all(row.closed for row in ours))
        return made

    def _rows_of(self, name: str, experiment: int) -> Mapping[str, LedgerRow]:
        kept = self._kept.get(name)
        return kept.rows if kept and kept.key.head and kept.key.head.experiment == experiment else {}


def facts_of(
    name: str, versions: Sequence[Version], transitions: Sequence[Transition], policies: Policies | None = None
) -> ModelFacts:
    """Return the facts of one model.

    Args:
        name: the registered model.
        versions: its versions, newest first.
        transitions: those of its ledger, oldest first.
        policies: its release policies; None for none.
    """
    policies = policies or Policies()
    shown, waiting_here = list[VersionFacts](), list[Waiting]()
    by_version: dict[int, dict[int, Transition]] = defaultdict(dict)
    moves: dict[int, Transition] = {}
    for place, each in enumerate(transitions):
        by_version[each.version][place] = each
        if each.action.moves:
            moves[place] = each
    for version in versions:
        own = by_version[version.number]
        ours = list(own.values())
        served = _served_beside(versions, list(moves.values()), version.number)
        digest = version.tags.get(DIGEST, "")
        found = {
            stage: eligibility(name, version.number, stage, digest, served, ours, policies.digest)
            for stage in reversed(HELD_STAGES)
        }
        status = version_status(version, [each for _, each in sorted((moves | own).items())])
        judged = _last_judged(found)
        state, rejected = review_state(judged), bool(judged and judged.rejections)
        waits = state is ReviewState.WAITING and version.stage in (Stage.NONE, Stage.STAGING)
        stale = bool(judged and judged.problems and not rejected and version.stage in (Stage.NONE, Stage.STAGING))
        status = replace(status, rejected=rejected, waits=waits, stale=stale, same_as=same_among(version, versions))
        shown.append(VersionFacts(version, status, state))
        theirs = authors(version, policies, redeclared_by(ours))
        waiting_here += waiting(found, version.stage, author_of(version), ours, theirs)
    times = [*(each.at_ms for each in transitions[-1:]), *(version.created_ms for version in versions)]
    waiting_here += policy_waiting(name, policies)
    return ModelFacts(name, "", tuple(shown), tuple(waiting_here), max(times, default=0))


def _last_judged(found: Mapping[Stage, Eligibility]) -> Eligibility | None:
    judged = [(each.judgement.at_ms, each) for each in found.values() if each.judgement]
    return max(judged, key=lambda pair: pair[0])[1] if judged else None


def _served_beside(versions: Sequence[Version], moves: Sequence[Transition], number: int) -> ServedBeside | None:
    """Return what `slipway.registry.eligibility.served_beside` does, by facts at hand."""
    live = next((each.number for each in versions if each.stage is Stage.PRODUCTION), None)
    if live:
        return ServedBeside(live)
    came = (move.version for move in reversed(moves) if move.complete and move.stage is Stage.PRODUCTION)
    last = next(came, None)
    if last in (None, number) or last not in {each.number for each in versions}:
        return None
    return ServedBeside(last, live=False)


def _newest_judgements(rows: Sequence[LedgerRow]) -> Iterable[LedgerRow]:
    """Return the entries whose verdicts count: the newest of each version and stage, with evidence and of any kind."""
    newest: dict[tuple[int, Stage, bool], LedgerRow] = {}
    for row in rows:
        of = row.transition
        if of.action.judges and of.complete:
            newest[of.version, of.stage, bool(of.evidence)] = row
    return newest.values()
