"""The check of a ledger names every change behind its back: an altered entry, an entry taken out, a stage moved past it."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from slipway.core.release.ledger import Entry, Kind, hash_of, seal_of, stages_after, verify
from slipway.core.release.transitions import Action, Transition
from slipway.types import Stage, Verdict

NAMES = ("Production", "Staging", "Archived")


@st.composite
def ledgers(draw, least: int = 0) -> list[Entry]:
    """Entries as the commands write them."""
    entries: list[Entry] = []
    for i in range(draw(st.integers(least, 8))):
        action = draw(st.sampled_from([Action.PROMOTE, Action.PROMOTE, Action.ROLLBACK, Action.ARCHIVE, Action.REFUSE]))
        stage = Stage.ARCHIVED if action is Action.ARCHIVE else Stage(draw(st.sampled_from(NAMES[:2])))
        verdicts = (Verdict("thresholds", True, "fine", {"roc_auc": draw(st.floats(0, 1))}),) * draw(st.integers(0, 1))
        transition = Transition(
            "ferries", action, draw(st.integers(1, 4)), stage, "ann", i, comment=draw(st.text(max_size=5)),
            verdicts=verdicts, complete=draw(st.booleans()), digest="d",
        )  # fmt: skip
        previous = entries[-1].hash if entries else ""
        own = hash_of(transition, previous)
        entries.append(Entry(f"run{i}", transition, previous, own, seal_of(own, transition.complete)))
    return entries


def stages(entries: list[Entry]) -> dict[int, Stage]:
    return stages_after([entry.transition for entry in entries])


def kinds(entries: list[Entry], registered: dict[int, Stage] | None = None, head: str | None = None) -> set[Kind]:
    head = head if head is not None else entries[-1].hash if entries else ""
    registered = stages(entries) if registered is None else registered
    return {finding.kind for finding in verify(entries, registered, head)}


@given(ledgers())
def test_what_nobody_touched_adds_up(entries):
    assert kinds(entries) == set()


@given(ledgers(least=1), st.data())
def test_an_altered_entry_is_named(entries, data):
    i = data.draw(st.integers(0, len(entries) - 1))
    transition = entries[i].transition
    change = data.draw(
        st.sampled_from(
            [
                {"by": "bob"}, {"comment": transition.comment + "!"}, {"version": 9}, {"at_ms": 99}, {"replaced": 7},
                {"digest": "e"}, {"verdicts": (Verdict("thresholds", False, "not so fine"),)},
                {"complete": not transition.complete}, {"overrides": ("slices",)},
            ]
        )
    )  # fmt: skip
    forged = [*entries]
    forged[i] = replace(entries[i], transition=replace(transition, **change))
    assert Kind.ALTERED in kinds(forged, stages(forged), entries[-1].hash)
    (named,) = [f for f in verify(forged, stages(forged), entries[-1].hash) if f.kind is Kind.ALTERED]
    assert entries[i].run_id in named.message


@given(ledgers(least=1), st.data())
def test_an_entry_that_was_taken_out_is_missed_wherever_it_stood(entries, data):
    i = data.draw(st.integers(0, len(entries) - 1))
    left = entries[:i] + entries[i + 1 :]
    assert Kind.MISSING in kinds(left, stages(left), entries[-1].hash)


@given(ledgers(least=1), st.data())
def test_a_stage_that_was_moved_past_the_ledger_is_foreign(entries, data):
    registered = {1: Stage.NONE, **stages(entries)}
    version = data.draw(st.sampled_from(sorted(registered)))
    other = data.draw(st.sampled_from([stage for stage in Stage if stage is not registered[version]]))
    (finding,) = verify(entries, registered | {version: other}, entries[-1].hash)
    assert finding.kind is Kind.FOREIGN and f"version {version} is {other.place}" in finding.message


def test_a_version_that_is_gone_although_it_holds_a_stage_is_foreign():
    transition = Transition("ferries", Action.PROMOTE, 3, Stage.PRODUCTION, "ann", 1)
    own = hash_of(transition, "")
    entries = [Entry("run", transition, "", own, seal_of(own, complete=True))]
    assert [str(finding) for finding in verify(entries, {}, own)] == [
        "foreign: version 3 is deleted; by the ledger it is in Production"
    ]


def test_two_entries_after_the_same_one_are_a_fork():
    first, second = (Transition("ferries", Action.REFUSE, n, Stage.STAGING, "ann", n) for n in (1, 2))
    entries = [Entry(f"r{m.version}", m, "", hash_of(m, ""), seal_of(hash_of(m, ""), True)) for m in (first, second)]
    assert Kind.FORKED in kinds(entries, {})


def test_an_entry_without_an_end_was_cut_off():
    transition = Transition("ferries", Action.PROMOTE, 3, Stage.PRODUCTION, "ann", 1, complete=False)
    entries = [Entry("run", transition, "", hash_of(transition, ""))]
    assert kinds(entries, {}) == {Kind.CUT_OFF}


def test_entries_of_a_time_before_hashes_are_believed_but_not_among_later_ones():
    old = Entry("old", Transition("ferries", Action.PROMOTE, 1, Stage.PRODUCTION, "ann", 1))
    transition = Transition("ferries", Action.PROMOTE, 2, Stage.PRODUCTION, "ann", 2)
    new = Entry("new", transition, "", hash_of(transition, ""), seal_of(hash_of(transition, ""), True))
    now = {1: Stage.ARCHIVED, 2: Stage.PRODUCTION}
    assert kinds([old, new], now, new.hash) == set()
    assert Kind.FOREIGN in kinds(
        [new, replace(old, run_id="smuggled")], {2: Stage.ARCHIVED, 1: Stage.PRODUCTION}, new.hash
    )


@given(ledgers())
def test_production_has_one_holder_at_most(entries):
    assert list(stages(entries).values()).count(Stage.PRODUCTION) <= 1
