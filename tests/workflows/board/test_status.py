"""The status of one version by its ledger: when it came to its stage, how it was judged, which approvals count."""

from typing import Any

from slipway.core.release.transitions import Action, Transition
from slipway.registry.versions import Version
from slipway.types import Stage, Verdict
from slipway.workflows.board.status import version_status

YES, NO = Verdict("thresholds", True, "enough"), Verdict("thresholds", False, "too little")


def version(number: int, stage: Stage) -> Version:
    return Version("m", number, stage, "run", "source", 1_000, {"slipway.author": "mara"})


def ledger(*told: tuple[Any, ...]) -> list[Transition]:
    """Transitions a second apart: action, version, stage, by, and further fields by name."""
    return [
        Transition("m", action, number, stage, by, 10_000 + 1000 * i, **more[0] if more else {})
        for i, (action, number, stage, by, *more) in enumerate(told)
    ]


def test_a_version_that_never_moved_lies_there_since_it_was_registered_by_its_author() -> None:
    found = version_status(version(1, Stage.NONE), [])
    assert (found.since.timestamp(), found.by, found.passed) == (1, "mara", None)  # type: ignore[union-attr]


def test_a_version_that_was_replaced_is_archived_by_who_replaced_it() -> None:
    entries = ledger(
        (Action.PROMOTE, 1, Stage.PRODUCTION, "mara"), (Action.PROMOTE, 2, Stage.PRODUCTION, "jo", {"replaced": 1})
    )
    old, live = (
        version_status(version(1, Stage.ARCHIVED), entries),
        version_status(version(2, Stage.PRODUCTION), entries),
    )
    assert (old.by, old.since) == (live.by, live.since) and live.by == "jo"


def test_what_was_refused_cut_off_or_only_said_moved_nothing() -> None:
    entries = ledger(
        (Action.PROMOTE, 1, Stage.STAGING, "mara"),
        (Action.REFUSE, 1, Stage.PRODUCTION, "jo"),
        (Action.JUDGE, 1, Stage.PRODUCTION, "ci"),
        (Action.PROMOTE, 1, Stage.PRODUCTION, "jo", {"complete": False}),
    )
    assert version_status(version(1, Stage.STAGING), entries).by == "mara"


def test_a_stage_that_the_ledger_does_not_know_of_has_no_since() -> None:
    found = version_status(version(1, Stage.PRODUCTION), ledger((Action.PROMOTE, 1, Stage.STAGING, "mara")))
    assert found.since is None and found.by == ""


def test_the_newest_judgement_counts() -> None:
    entries = ledger(
        (Action.JUDGE, 1, Stage.STAGING, "ci", {"verdicts": (YES,)}),
        (Action.JUDGE, 1, Stage.PRODUCTION, "ci", {"verdicts": (YES, NO)}),
        (Action.JUDGE, 2, Stage.PRODUCTION, "ci", {"verdicts": (YES,)}),
    )
    found = version_status(version(1, Stage.NONE), entries)
    assert (found.passed, found.judged) == (False, Stage.PRODUCTION)


def test_an_approval_expires_with_the_evidence_of_its_own_stage() -> None:
    entries = ledger(
        (Action.JUDGE, 1, Stage.PRODUCTION, "ci", {"verdicts": (YES,), "evidence": "old"}),
        (Action.APPROVE, 1, Stage.PRODUCTION, "jo", {"evidence": "old"}),
        (Action.JUDGE, 1, Stage.STAGING, "ci", {"verdicts": (YES,), "evidence": "other"}),
    )
    assert version_status(version(1, Stage.NONE), entries).approved_by == ("jo",)
    again = ledger((Action.JUDGE, 1, Stage.PRODUCTION, "ci", {"verdicts": (YES,), "evidence": "new"}))
    found = version_status(version(1, Stage.NONE), entries + again)
    assert found.approved_by == () and [approval.expired for approval in found.approvals] == [True]


def test_an_approval_that_was_followed_by_a_rejection_of_the_same_evidence_does_not_count() -> None:
    entries = ledger(
        (Action.JUDGE, 1, Stage.PRODUCTION, "ci", {"verdicts": (YES,), "evidence": "E"}),
        (Action.APPROVE, 1, Stage.PRODUCTION, "jo", {"evidence": "E"}),
        (Action.REJECT, 1, Stage.PRODUCTION, "kim", {"evidence": "E"}),
        (Action.APPROVE, 1, Stage.PRODUCTION, "kim", {"evidence": "E"}),
    )
    found = version_status(version(1, Stage.NONE), entries)
    assert found.approved_by == ("kim",) and [each.overruled for each in found.approvals] == [False, True]
