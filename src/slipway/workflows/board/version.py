"""The facts of the board's page of one version, which a reviewer reads before pressing a button."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from mlflow import MlflowClient
from mlflow.entities import Run
from mlflow.exceptions import MlflowException

from slipway.core.release.decision import (
    CHAMPION,
    Decision,
    Situation,
    Surroundings,
    decide,
    judged_last,
)
from slipway.core.release.judgement import ELIGIBILITY, Eligibility, eligibility, redeclared_by
from slipway.core.release.ledger import Entry
from slipway.core.release.people import Staff, who_may_approve
from slipway.core.release.policies import Policies
from slipway.core.release.policy_gate import Floor, Rule
from slipway.core.release.transitions import Action, ServedBeside, Transition, before_production
from slipway.core.spec import ApprovalGate
from slipway.core.variants import VariantRecord
from slipway.registry.absent import is_absent
from slipway.registry.demands.policy import policies_of
from slipway.registry.demands.redeclaration import declared_now
from slipway.registry.eligibility import served_beside
from slipway.registry.ledger import Ledger, ledger_of
from slipway.registry.same_model import is_same, same_among
from slipway.registry.trust import DIGEST
from slipway.registry.versions import Version, get_version
from slipway.reports.board import ChampionBeside, StageGates, VersionPage, VersionStatus, Visitor
from slipway.reports.words.decision import sentence, tone
from slipway.reports.words.next_step import canary_ended, next_steps
from slipway.types import HELD_STAGES, Stage, Verdict
from slipway.workflows.board.beside import champion_beside
from slipway.workflows.board.buttons import Position, buttons, on_callers
from slipway.workflows.board.comparison import Comparisons
from slipway.workflows.board.deciders import deciders_of
from slipway.workflows.board.entries import entries_on, thread_of
from slipway.workflows.board.index import LedgerRow, ModelFacts
from slipway.workflows.board.links import lineage_of, links_of
from slipway.workflows.board.overview import goal_of, ledger_run
from slipway.workflows.board.rivals import rivals_beside
from slipway.workflows.board.status import author_of, registered, transition_into, version_status
from slipway.workflows.promotion.rule import authors
from slipway.workflows.release.ingredients import VersionRecord


def version_page(
    client: MlflowClient,
    name: str,
    number: int,
    visitor: Visitor,
    comparisons: Comparisons,
    known: tuple[ModelFacts | None, Sequence[LedgerRow]],
    variants: Sequence[VariantRecord] = (),
    staff: Staff | None = None,
) -> VersionPage:
    """Return the facts of the page of a version. Raises UnknownName when there is no such model or version.

    Args:
        client: a client of the registry.
        name: the registered model.
        number: the version.
        visitor: the user who looks at the page.
        comparisons: what was read of runs before.
        known: the model and the entries of its ledger, as the index knows them.
        variants: the records of the model's shadow and canary, by services of the server's home.
        staff: the users of the server, each with the role for the model; None where nobody has to log in.
    """
    facts, rows = known
    goal_of(client, name)
    version, ledger = get_version(client, name, number), ledger_of(client, name)
    entries = entries_on(ledger, number, rows)
    moves = [row.transition for row in rows if row.transition.action.moves]
    served = served_beside(client, name, number)
    live = served.version if served and served.live else None
    policies = policies_of(ledger)
    run, judged = _run(client, version), _judged(entries)
    promoters = tuple(policies.in_force.policy.promoters) if policies.in_force else ()
    back = before_production(moves)
    theirs = authors(version, policies, redeclared_by(entry.transition for entry in entries))
    at = Position(name, number, version.stage, theirs, live, back, DIGEST not in version.tags, promoters)
    others = [each.version for each in facts.versions] if facts else []
    record = comparisons.record(run, version)
    at = replace(
        at,
        callers=on_callers(at, others, lambda each: comparisons.record(_run(client, each), each)),
        same_as_live=any(each.number == live and is_same(version, each) for each in others),
    )
    asked = _approval_asked(client, comparisons, version, record, policies, served, ledger)
    who_may = who_may_approve(name, asked, theirs, staff) if asked else ""
    stands = {
        stage: replace(_eligibility(version, stage, served, entries, policies), who_may=who_may)
        for stage in HELD_STAGES
    }
    about = judged_last(stands.values())
    decision = decide(about, surroundings(version, moves, live, same_among(version, others)))
    beside = _beside(client, comparisons, others, at, decision, (record, entries), ledger, rows)
    status = _status(version, entries, moves)
    page = VersionPage(
        name=name,
        column=version.stage,
        version=status,
        created=registered(version),
        author=author_of(version),
        stage_gates=tuple(_stage_gates(ledger, each, entries, version.stage) for each in reversed(stands.values())),
        buttons=buttons(at, stands, visitor, asked),
        lineage=lineage_of(version, judged),
        links=links_of(version, run, beside.run if beside else None),
        card=record.card if record else None,
        decision=sentence(decision),
        next_steps=(
            *canary_ended(number, variants),
            *next_steps(decision, about, deciders_of(at, version, about, asked, status, moves, staff)),
        ),
        rivals=rivals_beside(comparisons, at, facts, ledger, rows, run, judged),
        tone=tone(decision),
        difference=_difference(about),
        beside=beside.shown if beside else None,
        thread=thread_of(entries),
        foreign=at.foreign,
    )
    return comparisons.shown_on(page, version.run_id if run else "", judged)


def surroundings(version: Version, moves: Sequence[Transition], live: int | None, same_as: int | None) -> Surroundings:
    """Return what a decision knows beside the judgement.

    Args:
        version: the version.
        moves: the newest moves of the model, oldest first.
        live: the version in Production; None for none.
        same_as: another version that is the same model; None for none.
    """
    situation, back_to = Situation.OPEN, None
    if version.stage is Stage.PRODUCTION:
        situation = Situation.LIVE
    elif version.stage is Stage.STAGING:
        situation = Situation.STAGED
    elif version.stage is Stage.ARCHIVED:
        situation = Situation.ARCHIVED
        left = transition_into(version, [move for move in moves if move.complete])
        if left and left.action is Action.ROLLBACK:
            situation, back_to = Situation.ROLLED_BACK, left.version
    return Surroundings(situation, live, back_to, DIGEST not in version.tags, same_as)


def figure(
    client: MlflowClient, name: str, number: int, key: str, wanted: str, comparisons: Comparisons
) -> bytes | None:
    """Return a figure of a version's page as PNG; None where there is none.

    key: the `AnswersCompared.key` of the page. wanted: the figure's name.
    """
    version = get_version(client, name, number)
    ledger = ledger_of(client, name)
    judged = ledger.entry_of(key) if ledger else None
    if judged is None or judged.transition.version != number:
        return None
    return comparisons.figure(judged, version.run_id, wanted)


@dataclass(frozen=True)
class _Beside:
    """Another version beside the version of a page, with its run."""

    shown: ChampionBeside
    run: Run | None


def _beside(
    client: MlflowClient,
    comparisons: Comparisons,
    versions: Sequence[Version],
    at: Position,
    decision: Decision,
    ours: tuple[VersionRecord | None, Sequence[Entry]],
    ledger: Ledger | None,
    rows: Sequence[LedgerRow],
) -> _Beside | None:
    """Return the version in Production beside another one; of the version in Production itself, the one before it.

    ours: the record and the entries of the page's version. rows: the entries of the ledger, as the index knows them.
    """
    wanted = at.live if at.live != at.number else decision.champion or at.back
    other = next((each for each in versions if each.number == (wanted or decision.champion)), None)
    if other is None or other.number == at.number:
        return None
    run = _run(client, other)
    theirs = (
        comparisons.record(run, other),
        _verdicts(entries_on(ledger, other.number, rows)),
    )
    shown = champion_beside(other.number, (ours[0], _verdicts(ours[1])), theirs, live=other.number == at.live)
    return _Beside(shown, run)


def _verdicts(entries: Sequence[Entry]) -> tuple[Verdict, ...]:
    """Return the verdicts of the newest judgement among entries, oldest first; that before Production, where there is one."""
    judged = [each.transition for each in entries if each.transition.action.judges and each.transition.verdicts]
    for_production = [each for each in judged if each.stage is Stage.PRODUCTION]
    return next((each.verdicts for each in reversed(for_production or judged)), ())


def _difference(stands: Eligibility) -> Verdict | None:
    """Return the verdict on the difference to the champion, whose interval the page draws."""
    verdicts = stands.judgement.verdicts if stands.judgement else ()
    return next(
        (verdict for verdict in verdicts if verdict.gate == CHAMPION and verdict.numbers.get("difference")), None
    )


def _eligibility(
    version: Version, stage: Stage, served: ServedBeside | None, entries: list[Entry], policies: Policies
) -> Eligibility:
    transitions, digest = [entry.transition for entry in entries], version.tags.get(DIGEST, "")
    return eligibility(version.name, version.number, stage, digest, served, transitions, policies.digest)


def _approval_asked(
    client: MlflowClient,
    comparisons: Comparisons,
    version: Version,
    record: VersionRecord | None,
    policies: Policies,
    served: ServedBeside | None,
    ledger: Ledger | None,
) -> ApprovalGate | None:
    """Return who may approve a version; None where its declaration cannot be read."""
    if record is None or record.declared is None:
        return None
    floor = None
    if served:
        champion = get_version(client, version.name, served.version)
        theirs = comparisons.record(_run(client, champion), champion)
        floor = Floor(served, theirs.declared if theirs else None)
    declared = declared_now(ledger, version.number, record.declared).experiment
    return Rule(version.name, policies, floor).approval_asked(declared)


def _status(version: Version, entries: Sequence[Entry], moves: Sequence[Transition]) -> VersionStatus:
    """Return the status of a version. A move of another version may have put it where it is: its place is archived then."""
    others = [move for move in moves if move.version != version.number]
    known = sorted((*others, *(entry.transition for entry in entries)), key=lambda each: each.at_ms)
    return version_status(version, known)


def _stage_gates(ledger: Ledger | None, stands: Eligibility, entries: list[Entry], present: Stage) -> StageGates:
    judgement = stands.judgement
    if judgement is None:
        return StageGates(stands.stage)
    run = next((ledger_run(ledger, entry) for entry in entries if entry.transition is judgement), "")
    verdicts = tuple(verdict for verdict in stands.verdicts if verdict.gate != ELIGIBILITY)
    # A version in the stage was let in by its judgement, which compared with the version before it.
    problems = () if present is stands.stage else stands.problems
    return StageGates(stands.stage, verdicts, problems, judgement.at, judgement.by, judgement.evidence, run)


def _judged(entries: list[Entry]) -> Entry | None:
    """Return the entry that keeps the evidence of the newest judgement: one before Production, where there is one.

    A judgement before Production compares with the champion. A promotion by an older judgement names the evidence of that
    judgement, but the files lie with the entry that named the evidence first.
    """
    judgements = [e for e in entries if e.transition.evidence and e.transition.action.judges]
    for_production = [e for e in judgements if e.transition.stage is Stage.PRODUCTION]
    newest = (for_production or judgements)[-1:]
    return next((e for e in judgements for last in newest if e.transition.evidence == last.transition.evidence), None)


def _run(client: MlflowClient, version: Version) -> Run | None:
    try:
        return client.get_run(version.run_id) if version.run_id else None
    except MlflowException as error:
        if not is_absent(error):
            raise
        return None
