"""The next step with a version in plain sentences: what has to happen, who has to do it, and what happened before."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from textwrap import shorten

from slipway.core.release.decision import Decision, Found, Situation
from slipway.core.release.judgement import Eligibility, failed_gates, overridable
from slipway.core.release.people import listed
from slipway.core.release.transitions import Action, Transition
from slipway.core.variants import VariantRecord, VariantRole, VariantState
from slipway.reports.words.decision import gate_name
from slipway.reports.words.spelling import moment

_LONGEST_REASON, _MOST_REASONS = 200, 3


@dataclass(frozen=True)
class Deciders:
    """The people of a version, and what happened to it.

    Attributes:
        authors: the authors of the version, none of whom may approve it.
        approvers: the people who may approve; empty for everybody who may approve versions of the model.
        promoters: the people who may promote; empty for everybody who may promote versions of the model.
        expired: the people whose approval was given to other evidence.
        came: the transition that put the version into its stage; None where it is not known.
        back: the version that a rollback from Production returns to; None for none.
        nobody: whether it is known that nobody may approve now.
    """

    authors: tuple[str, ...] = ()
    approvers: tuple[str, ...] = ()
    promoters: tuple[str, ...] = ()
    expired: tuple[str, ...] = ()
    came: Transition | None = None
    back: int | None = None
    nobody: bool = False


def next_steps(decision: Decision, found: Eligibility, people: Deciders) -> tuple[str, ...]:
    """Return the sentences below the decision on a version: what happened, and what has to happen next, by whom."""
    said = (*_rolled_back(people.came), *_next(decision, found, people))
    return tuple(said)


def canary_ended(number: int, records: Iterable[VariantRecord]) -> tuple[str, ...]:
    """Return the end of a version's canary in words; nothing where no guardrail ended one."""
    return tuple(
        f"As a canary beside version {each.first_version} it was ended by a guardrail, "
        f"{moment(datetime.fromtimestamp(each.at, UTC))}: {each.why}."
        for each in records
        if (each.version, each.role, each.state) == (number, VariantRole.CANARY, VariantState.ENDED)
    )


def _next(decision: Decision, found: Eligibility, people: Deciders) -> Iterable[str]:
    if decision.situation is Situation.LIVE:
        if people.back:
            yield (
                f"If it goes wrong, {_who(people.promoters, 'promote')} can roll back to version {people.back}, which was in "
                "Production before: at once, and no gate is asked."
            )
    elif decision.situation is Situation.ROLLED_BACK:
        yield f"Next: {_author(people)} finds out why. The judgement alone would let it go live again."
    elif decision.situation is Situation.STAGED:
        yield (
            f"Next: {_who(people.promoters, 'promote')} asks the gates before Production, with "
            f"`slipway gates {decision.name} {decision.version}`."
        )
    elif decision.foreign:
        yield (
            f"Next: `slipway run {decision.name}` trains a version that can be judged. If the run of this one is a search of "
            f"Slipway's, `slipway register {decision.name} RUN` makes a version of it that can be judged."
        )
    elif not decision.judged or decision.situation is Situation.ARCHIVED:
        return
    elif decision.failed:
        yield from _after_a_refusal(found, people)
    elif found.rejections:
        named = " and ".join(dict.fromkeys(each.by for each in found.rejections))
        yield f"Next: {_author(people)} answers or trains another version. {named} alone can lift the rejection, by approving."
    elif decision.problems:
        yield (
            f"Next: {_who(people.promoters, 'promote')} asks the gates again, with "
            f"`slipway gates {decision.name} {decision.version}`. Approvals are given anew then."
        )
    else:
        yield from _after_all_gates(decision, people)


def _after_a_refusal(found: Eligibility, people: Deciders) -> Iterable[str]:
    failed = failed_gates(found)
    for verdict in failed[:_MOST_REASONS]:
        yield f"{gate_name(verdict.gate).capitalize()}: {_found(verdict.reason)}."
    trains = f"Next: {_author(people)} trains another version"
    if all(map(overridable, failed)):
        yield f"{trains}, or {_approver(people)} lets this one through by name and with a reason."
    else:
        yield f"{trains}. Nobody can let this one through."


def _found(reason: str) -> str:
    """Return the reason of a gate without the commands in it, which the gate itself tells further down."""
    first, *more = reason.rstrip(".").split("; ")
    return "; ".join((first, *(part for part in more if "`" not in part)))


def _after_all_gates(decision: Decision, people: Deciders) -> Iterable[str]:
    if decision.found is Found.SAME:
        yield f"Nothing has to happen: version {decision.champion} gives these answers already."
        return
    promotes = f"{_who(people.promoters, 'promote')} promotes it"
    if decision.approvals_missing <= 0:
        yield f"Next: {promotes}."
        return
    for name in people.expired:
        yield f"The approval of {name} was given to other evidence, and no longer counts."
    yield f"Next: {_approver(people)} approves it; then {promotes}."


def _rolled_back(came: Transition | None) -> Iterable[str]:
    if came is None or came.action is not Action.ROLLBACK:
        return
    why = f": “{shorten(came.comment, _LONGEST_REASON, placeholder=' …')}”" if came.comment else ", without a reason"
    replaced = f"version {came.replaced}" if came.replaced else "nothing"
    yield f"{came.by} rolled back from {replaced} to version {came.version}, {moment(came.at)}{why}."


def _author(people: Deciders) -> str:
    return listed(people.authors, "and") if people.authors else "the author"


def _approver(people: Deciders) -> str:
    if people.nobody:
        return "somebody who is made an approver first, since nobody may now,"
    named = tuple(name for name in people.approvers if name not in people.authors)
    but = f", but not {listed(people.authors)}," if people.authors else ""
    return listed(named) if named else f"somebody who may approve{but}"


def _who(named: Sequence[str], may: str) -> str:
    return listed(named) if named else f"somebody who may {may}"
