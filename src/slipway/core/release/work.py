"""What waits for people: versions to approve, to promote, and to read about; and in one word how a version was judged."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from slipway.core.release.judgement import Eligibility, failed_gates
from slipway.core.release.policies import Policies
from slipway.core.release.transitions import APPROVAL, Action, Transition
from slipway.types import Stage


class ReviewState(StrEnum):
    """The newest judgement of a version and what people decided on it, in one word."""

    PASSES = "passes"
    REFUSED = "refused"
    WAITING = "waiting"
    NEVER = "never judged"


class Asked(StrEnum):
    """What a person is asked to do with a version."""

    APPROVE = "approve"
    PROMOTE = "promote"
    READ = "read"
    POLICY = "policy"


@dataclass(frozen=True)
class Waiting:
    """One thing that waits for a person.

    Attributes:
        name: the registered model.
        version: the version; 0 for a release policy, which is of no version.
        asked: what the person is asked to do.
        stage: the stage that it is about; of something to read, the stage that the newest entry is about.
        since_ms: since when it waits, in Unix milliseconds.
        by: the person who asks.
        author: the author of the version; empty where that is not known.
        authors: everybody who may not approve it, as an author.
        text: of something to read, the newest of it.
        entries: of something to read, how many entries there are.
        approved_by: the people who have approved already.
        approvers: the only people who may approve it; empty for everybody who may approve versions of the model.
    """

    name: str
    version: int
    asked: Asked
    stage: Stage
    since_ms: int
    by: str
    author: str = ""
    text: str = ""
    entries: int = 1
    authors: frozenset[str] = frozenset()
    approved_by: frozenset[str] = frozenset()
    approvers: frozenset[str] = frozenset()


def review_state(found: Eligibility | None) -> ReviewState:
    """Return how a version was judged for a stage, whether or not the judgement still compares with the champion of now.

    found: the eligibility for the stage of the newest judgement; None without any.
    """
    if found is None or found.judgement is None:
        return ReviewState.NEVER
    if found.rejections or failed_gates(found):
        return ReviewState.REFUSED
    return ReviewState.WAITING if _lacks_approval(found) else ReviewState.PASSES


def waiting(
    found: Mapping[Stage, Eligibility],
    present: Stage,
    author: str,
    entries: Sequence[Transition],
    authors: Collection[str] = (),
) -> tuple[Waiting, ...]:
    """Return what waits for anybody at one version. An archived version waits for nothing.

    Args:
        found: the version's eligibility for Staging and for Production.
        present: its present stage.
        author: its author.
        entries: the entries on it, oldest first.
        authors: everybody who may not approve it, as an author.
    """
    if present is Stage.ARCHIVED:
        return ()
    moves = [] if present is Stage.PRODUCTION else [each for each in found.values() if each.stage is not present]
    return (
        *(item for each in moves for item in _to_decide(each, author, entries, frozenset((author, *authors)))),
        *_to_read(author, entries),
    )


def policy_waiting(name: str, policies: Policies) -> tuple[Waiting, ...]:
    """Return the change of a model's release policy that waits for approvals; nothing where none does."""
    asked = policies.waiting
    if asked is None:
        return ()
    item = Waiting(
        name,
        0,
        Asked.POLICY,
        Stage.NONE,
        asked.at_ms,
        asked.by,
        text=asked.comment,
        authors=frozenset((asked.by,)),
        approved_by=frozenset(asked.approved_by),
        approvers=frozenset(policies.change.approvers),
    )
    return (item,)


def _to_decide(
    found: Eligibility, author: str, entries: Sequence[Transition], authors: frozenset[str]
) -> Iterator[Waiting]:
    judgement = found.judgement
    if judgement is None or found.problems or failed_gates(found):
        return
    # The gates may have been asked again about the same evidence; it has waited since the first time.
    first = next(e for e in entries if e.action.judges and (e.stage, e.evidence) == (found.stage, judgement.evidence))
    at = found.name, found.version
    if _lacks_approval(found):
        people = frozenset(approval.by for approval in found.approvals)
        yield Waiting(
            *at, Asked.APPROVE, found.stage, first.at_ms, first.by, author, authors=authors, approved_by=people
        )
    elif found.holds:
        last = max((first, *found.approvals), key=lambda entry: entry.at_ms)
        yield Waiting(*at, Asked.PROMOTE, found.stage, last.at_ms, last.by, author)


def _to_read(author: str, entries: Sequence[Transition]) -> Iterator[Waiting]:
    """Yield what others said of a version since its author's own last entry on it, as one thing to read."""
    own = next((i + 1 for i in reversed(range(len(entries))) if entries[i].by == author), 0)
    said = [each for each in entries[own:] if each.complete and each.action in _SAID]
    if author and said:
        first, last = said[0], said[-1]
        yield Waiting(
            last.name, last.version, Asked.READ, last.stage, first.at_ms, last.by, author, last.comment, len(said)
        )


_SAID = (Action.COMMENT, Action.REJECT, Action.REFUSE, Action.REDECLARE)


def _lacks_approval(found: Eligibility) -> bool:
    return any(verdict.gate == APPROVAL and not verdict.passed for verdict in found.verdicts)
