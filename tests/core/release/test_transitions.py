from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from slipway.core.release.transitions import Action, Transition, before_production
from slipway.types import Stage, Verdict

PROMOTE, ROLLBACK, ARCHIVE, REFUSE = Action.PROMOTE, Action.ROLLBACK, Action.ARCHIVE, Action.REFUSE


def moved(version: int, action: Action = PROMOTE, stage: Stage = Stage.PRODUCTION, complete: bool = True) -> Transition:
    stage = Stage.ARCHIVED if action is ARCHIVE else stage
    return Transition("ferries", action, version, stage, "ann", 0, complete=complete)


def live_after(history: list[Transition]) -> int | None:
    """The version that is in Production, by the registry's own rules."""
    live = None
    for transition in history:
        if not transition.complete or transition.action is REFUSE:
            continue
        if transition.stage is Stage.PRODUCTION:
            live = transition.version
        elif transition.version == live:
            live = None
    return live


def ever_live(history: list[Transition]) -> set[int]:
    return {m.version for m in history if m.stage is Stage.PRODUCTION and m.complete and m.action is not REFUSE}


@st.composite
def histories(draw) -> list[Transition]:
    """Movements as the commands write them: a rollback goes where `before_production` says, or is not written."""
    history: list[Transition] = []
    for _ in range(draw(st.integers(0, 12))):
        action, version = draw(st.sampled_from(list(Action))), draw(st.integers(1, 4))
        stage = draw(st.sampled_from([Stage.STAGING, Stage.PRODUCTION, Stage.PRODUCTION]))
        if action is ROLLBACK:
            back = before_production(history)
            if back is None:
                continue
            version, stage = back, Stage.PRODUCTION
        if action is PROMOTE and stage is Stage.PRODUCTION and live_after(history) == version:
            continue  # `promote` refuses to move a version where it is
        history.append(moved(version, action, stage, draw(st.sampled_from([True, True, True, False]))))
    return history


@given(histories())
def test_a_rollback_never_goes_to_the_present_version_nor_to_one_that_was_never_live(history: list[Transition]) -> None:
    back = before_production(history)
    assert back is None or back in ever_live(history)
    assert back is None or back != live_after(history)


@given(histories(), st.integers(0, 12))
@settings(max_examples=300)
def test_the_newest_transitions_give_the_answer_of_all_of_them_or_none(
    history: list[Transition], left_out: int
) -> None:
    assert before_production(history[left_out:]) in (before_production(history), None)


@given(histories())
def test_rolling_back_again_and_again_comes_to_an_end_rather_than_going_to_and_fro(history: list[Transition]) -> None:
    for _ in range(len(history)):
        if (back := before_production(history)) is not None:
            history = [*history, moved(back, ROLLBACK)]
    assert before_production(history) is None


@given(histories(), st.integers(1, 4))
def test_what_was_refused_or_cut_off_changes_nothing(history: list[Transition], version: int) -> None:
    back = before_production(history)
    for nothing in (moved(version, REFUSE), moved(version, complete=False), moved(version, ARCHIVE, complete=False)):
        assert before_production([*history, nothing]) == back


def test_without_a_version_before_there_is_nothing_to_return_to() -> None:
    assert before_production([]) is None
    assert before_production([moved(1)]) is None
    assert before_production([moved(1, stage=Stage.STAGING), moved(2)]) is None


def test_the_version_before_the_present_one_is_returned_to_then_the_one_before_that() -> None:
    history = [moved(1), moved(2), moved(3)]
    assert before_production(history) == 2
    history.append(moved(2, ROLLBACK))
    assert before_production(history) == 1
    history.append(moved(1, ROLLBACK))
    assert before_production(history) is None


def test_a_version_that_is_promoted_after_a_rollback_returns_to_the_one_it_replaced() -> None:
    assert before_production([moved(1), moved(2), moved(1, ROLLBACK), moved(3)]) == 1


def test_after_production_was_archived_the_archived_version_is_returned_to() -> None:
    assert before_production([moved(1), moved(2), moved(2, ARCHIVE)]) == 2
    assert before_production([moved(1), moved(1, stage=Stage.STAGING)]) == 1


def test_a_version_that_was_archived_and_promoted_again_is_not_its_own_predecessor() -> None:
    assert before_production([moved(1), moved(1, ARCHIVE), moved(1)]) is None
    assert before_production([moved(1), moved(2), moved(2, ARCHIVE), moved(2)]) == 1


def test_the_stage_that_an_earlier_version_is_in_now_does_not_matter() -> None:
    assert before_production([moved(1), moved(2), moved(1, stage=Stage.STAGING)]) == 1
    assert before_production([moved(1), moved(2), moved(1, stage=Stage.STAGING), moved(1, ARCHIVE)]) == 1
    assert before_production([moved(1), moved(2), moved(3), moved(2, ARCHIVE)]) == 2
    assert before_production([moved(1), moved(2), moved(1), moved(2, ARCHIVE)]) == 2


def test_a_version_that_was_deleted_is_passed_over() -> None:
    history = [moved(1), moved(2), moved(3)]
    assert before_production(history, {1, 3}) == 1
    assert before_production(history, {3}) is None
    assert before_production([moved(1), moved(2), moved(2, ARCHIVE)], {1}) == 1


def test_a_transition_reads_as_a_sentence() -> None:
    promoted = Transition("ferries", PROMOTE, 3, Stage.PRODUCTION, "ann", 0, replaced=2)
    assert str(promoted) == "version 3 → Production, replacing version 2"
    assert str(moved(3, ROLLBACK)) == "rolled back to version 3"
    assert str(moved(3, ARCHIVE)) == "version 3 archived"
    assert str(moved(3, REFUSE)) == "version 3 refused Production"
    assert str(moved(3, complete=False)) == "version 3 → Production (cut off before it was done)"


def test_a_transition_is_plain_values_with_its_time_in_utc() -> None:
    verdict = Verdict("thresholds", False, "too low", {"roc_auc": 0.5})
    transition = Transition(
        "ferries", REFUSE, 3, Stage.STAGING, "ann", 1_700_000_000_123, comment="try", verdicts=(verdict,)
    )
    values = transition.as_dict()
    assert transition.at == datetime(2023, 11, 14, 22, 13, 20, 123000, UTC)
    assert values["at"] == "2023-11-14T22:13:20+00:00"
    assert values["verdicts"] == [
        {"gate": "thresholds", "passed": False, "reason": "too low", "numbers": {"roc_auc": 0.5}}
    ]
    assert (values["action"], values["stage"], values["replaced"]) == ("refuse", "Staging", None)
