"""The board's pages: what they show of the facts, what they never do, and that what people wrote is text."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from slipway.core.release.ledger import Finding, Kind
from slipway.core.release.policies import Policies, SetPolicy
from slipway.core.release.transitions import Action, Transition
from slipway.core.release.work import Asked, ReviewState
from slipway.core.spec._yaml import read_policy
from slipway.reports.board import (
    ORDER,
    SAYINGS,
    AnswersCompared,
    Approval,
    Button,
    ButtonOutcome,
    Frame,
    LedgerCheck,
    LedgerLine,
    Listing,
    ModelLine,
    ModelPage,
    OverviewPage,
    Pages,
    StageColumn,
    StageGates,
    Thread,
    VersionPage,
    VersionStatus,
    Visitor,
    WorkLine,
    WorkPage,
    model_page,
    overview_page,
    problem_page,
    stylesheet,
    version_page,
    work_page,
)
from slipway.reports.card import ModelCard
from slipway.types import Stage, Verdict

EVIL = "<script>alert('harbour')</script>\" onclick=x"
NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
REVIEWER = Visitor(may=frozenset({"judge", "approve", "promote"}), asks_name=True)
HERE = Frame(REVIEWER)
FAILED = Verdict("not_worse_than_champion", False, "worse by 0.01", {"difference": -0.01, "low": -0.02, "high": -0.005})
PROMOTE = Button("promote", "Promote to Production", "Version 4 goes live.", Stage.PRODUCTION)


def a_model(word: str = "") -> ModelLine:
    approval = Approval(word or "jo", NOON, Stage.PRODUCTION, word or "read it")
    live = VersionStatus(2, NOON, word or "mara", True, Stage.PRODUCTION, (approval,))
    held = {
        Stage.PRODUCTION: (live,),
        Stage.NONE: (VersionStatus(4, NOON, word or "jo"), VersionStatus(3, passed=False)),
    }
    columns = tuple(StageColumn(stage, held.get(stage, ()), 7 if stage is Stage.NONE else 0) for stage in ORDER)
    return ModelLine(word or "late_parcels", columns, word or "Say which parcels are late.")


def a_version(word: str = "", **changed: Any) -> VersionPage:
    verdict = replace(FAILED, gate=word or FAILED.gate, reason=word or FAILED.reason)
    stage_gates = StageGates(
        Stage.PRODUCTION, (verdict,), (word or "approval: nobody",), NOON, word or "ci", "e" * 64, "#/run"
    )
    given = [Approval(word or "jo", NOON, Stage.PRODUCTION, word or "fine", expired) for expired in (False, True)]
    page = VersionPage(
        name=word or "late_parcels",
        column=Stage.STAGING,
        version=VersionStatus(4, NOON, word or "mara", False, Stage.PRODUCTION, tuple(given)),
        created=NOON,
        author=word or "mara",
        stage_gates=(stage_gates,),
        buttons=(PROMOTE, Button("archive", "Archive", word or "It is kept.", Stage.ARCHIVED, (word or "it is",))),
        lineage={"Files": word or "d" * 64},
        links={"run": "#/experiments/1/runs/2"},
        comparison=AnswersCompared("run", 450, 2, ("roc",)),
        thread=Thread(
            tuple(
                Transition("m", action, 4, Stage.PRODUCTION, word or "jo", 1, comment=word or f"said by {action}")
                for action in SAYINGS
            )
        ),
    )
    return replace(page, **changed)


def a_model_page(word: str = "", **changed: Any) -> ModelPage:
    at_ms = int(NOON.timestamp() * 1000)
    transition = Transition(
        "m", Action.REFUSE, 4, Stage.PRODUCTION, word or "jo", at_ms, None, word or "why", (FAILED,)
    )
    return replace(
        ModelPage(a_model(word), (LedgerLine(transition, "#/run"),), links={"ledger": "#/ledger"}), **changed
    )


def a_work(word: str = "") -> tuple[WorkLine, ...]:
    return tuple(
        WorkLine(word or "late_parcels", 4, asked, Stage.PRODUCTION, NOON, word or "jo", word or "why Sundays?", 2)
        for asked in Asked
    )


def an_overview(word: str = "", **changed: Any) -> OverviewPage:
    listing = Listing(word, owner=word)
    pages = Pages(2, 3, listing.on_page(1), listing.on_page(3))
    return replace(
        OverviewPage((a_model(word),), listing, 41, 1000, pages, (word or "mara", "jo"), a_work(word), 7), **changed
    )


def all_pages(word: str = "", frame: Frame = HERE) -> dict[str, str]:
    finding = Finding(Kind.FOREIGN, word or "version 3 was moved past Slipway")
    return {
        "overview": overview_page(an_overview(word), frame),
        "work": work_page(WorkPage(a_work(word), 3, Pages(2, 3, "?page=1", "?page=3")), frame),
        "model": model_page(a_model_page(word), LedgerCheck(NOON, 3, "a" * 64, (finding,)), frame),
        "version": version_page(a_version(word), frame),
        "problem": problem_page("Not here", word or "there is no model", frame),
    }


@pytest.mark.parametrize("which", ["overview", "work", "model", "version", "card", "problem"])
def test_what_people_wrote_is_text_wherever_it_stands(
    which: str, read: Callable[[str], Any], filled_card: Callable[[str], ModelCard]
) -> None:
    around = Frame(replace(REVIEWER, name=EVIL), outcome=ButtonOutcome(EVIL, done=False))
    pages = all_pages(EVIL, around) | {"card": version_page(a_version(EVIL, card=filled_card(EVIL)), around)}
    found = read(pages[which])
    assert "script" not in found.tags and not [name for _, name, _ in found.attributes if name.startswith("on")]
    assert EVIL in found.text


@pytest.mark.parametrize("which", ["overview", "work", "model", "version", "problem"])
def test_a_page_brings_one_stylesheet_and_nothing_from_elsewhere(which: str, read: Callable[[str], Any]) -> None:
    found = read(all_pages()[which])
    assert not {"script", "style", "iframe", "object", "embed", "base"} & set(found.tags)
    assert found.tags.count("h1") == 1 and "main" in found.tags
    for _, name, value in found.attributes:
        assert name != "style"
        if name in ("src", "href", "action"):
            assert value.startswith(("/", "#", "data:,")) and not value.startswith("//")


def test_the_stages_stand_in_the_order_that_a_version_passes_them(read: Callable[[str], Any]) -> None:
    text = read(all_pages()["overview"]).text.partition("Say which parcels are late.")[2]
    places = [text.index(stage) for stage in ("Not in a stage yet", "Staging", "Production", "Archived")]
    assert places == sorted(places)
    for said in ("version 2", "live since 2026-11-24 12:00 UTC by mara", "approved by jo", "refused", "not judged"):
        assert said in text
    assert "and 7 older" in text and text.count("empty") == 2


def test_a_form_carries_what_the_api_asks_for(read: Callable[[str], Any]) -> None:
    promoter = Frame(replace(REVIEWER, may=frozenset({"promote"})))
    found = read(all_pages(frame=promoter)["version"])
    sent = dict(zip(values(found, "input", "name"), values(found, "input", "value"), strict=False))
    assert sent == {"version": "4", "stage": "Production", "action": "promote"}
    assert values(found, "form", "action") == ["/api/2.0/slipway/models/late_parcels/movements"]
    assert values(found, "form", "method") == ["post"]
    assert values(found, "input", "name")[-1] == "by" and values(found, "textarea", "name") == ["comment"]


def test_a_rejection_goes_to_its_own_route_and_says_why(read: Callable[[str], Any]) -> None:
    reject = Button("reject", "Reject for Production", "It is written down.", Stage.PRODUCTION)
    found = read(version_page(a_version(buttons=(reject,)), HERE))
    assert values(found, "form", "action")[0] == "/api/2.0/slipway/models/late_parcels/rejections"
    assert ("textarea", "required", "") in [(tag, name, value or "") for tag, name, value in found.attributes]


def test_who_is_known_is_not_asked_for_a_name(read: Callable[[str], Any]) -> None:
    signed_in = Frame(replace(REVIEWER, name="jo", asks_name=False))
    found = read(all_pages(frame=signed_in)["version"])
    assert "by" not in values(found, "input", "name") and "signed in as jo" in found.text


def test_a_button_that_cannot_be_pressed_says_why(read: Callable[[str], Any]) -> None:
    found = read(all_pages()["version"])
    assert values(found, "button", "disabled") == [""]
    (reason,) = values(found, "button", "aria-describedby")
    assert ("ul", "id", reason) in found.attributes and "it is" in found.text


def test_who_may_press_nothing_sees_no_button(read: Callable[[str], Any]) -> None:
    found = read(version_page(a_version(buttons=()), Frame(Visitor("jo"))))
    assert not {"form", "button"} & set(found.tags) and "What can be done" not in found.text


def test_an_approval_of_other_evidence_is_called_expired(read: Callable[[str], Any]) -> None:
    found = read(all_pages()["version"]).text
    assert "expired" in found and "it no longer counts" in found


def test_the_gates_are_told_with_numbers_and_the_interval_is_drawn(read: Callable[[str], Any]) -> None:
    found = read(all_pages()["version"])
    assert "1 of 1 gates did not pass." in found.text and "-0.0200" in found.text
    assert "svg" in found.tags
    assert "were not asked" in version_page(a_version(stage_gates=(StageGates(Stage.STAGING),)), HERE)


def test_an_override_is_told_at_the_gate_and_under_approvals_and_its_button_names_the_gates(
    read: Callable[[str], Any],
) -> None:
    gates = ("not_worse_than_champion", "<slices>")
    verdict = Verdict(gates[0], True, "overridden by rita, 'the days differ': worse", {"unseen": 7, "overridden": 1.0})
    approval = Approval("rita", NOON, Stage.PRODUCTION, "the days differ", overrides=gates)
    button = Button("approve", f"Approve, overriding {gates[0]}", "It counts.", Stage.PRODUCTION, overrides=gates)
    page = a_version(
        stage_gates=(StageGates(Stage.PRODUCTION, (verdict,), (), NOON),),
        buttons=(button,),
        version=VersionStatus(4, approvals=(approval,)),
    )
    found = read(version_page(page, HERE))
    sent = dict(zip(values(found, "input", "name"), values(found, "input", "value"), strict=False))
    assert sent["overrides"] == ",".join(gates)
    assert "overridden not worse than champion" in " ".join(found.text.split())
    assert "overriding not worse than champion, <slices>" in " ".join(found.text.split())


def test_an_approval_that_is_missing_is_no_failure() -> None:
    verdicts = (Verdict("thresholds", True, "enough"), Verdict("approval", False, "nobody has"))
    page = version_page(a_version(stage_gates=(StageGates(Stage.PRODUCTION, verdicts, (), NOON),)), HERE)
    assert "its one gate passed, approval is missing" in page and "pill fail" not in page.partition("Approvals</h2>")[0]


def test_the_figures_are_asked_for_by_the_evidence(read: Callable[[str], Any]) -> None:
    found = read(all_pages()["version"])
    assert values(found, "img", "src") == ["/slipway/models/late_parcels/versions/4/plots/run/roc.png"]
    assert "same 450 rows" in found.text
    alone = version_page(a_version(comparison=AnswersCompared("run", 450)), HERE)
    assert "Nothing was in Production" in alone


@pytest.mark.parametrize(
    ("verified", "said"),
    [
        (LedgerCheck(NOON, 1234, "a" * 64), "All 1,234 entries are as they were written"),
        (
            LedgerCheck(NOON, 2, "", (Finding(Kind.MISSING, "the newest entry is gone"),)),
            "missing: the newest entry is gone",
        ),
        (None, "too long to be read through at each visit"),
    ],
)
def test_whether_the_ledger_adds_up_is_told(verified: LedgerCheck | None, said: str) -> None:
    assert said in model_page(a_model_page(), verified, HERE)


def test_a_ledger_full_of_findings_names_the_first_and_where_all_are() -> None:
    many = LedgerCheck(NOON, 99, "", tuple(Finding(Kind.ALTERED, f"entry {i} of it") for i in range(50)))
    page = model_page(a_model_page(), many, HERE)
    assert "entry 19 of it" in page and "entry 20 of it" not in page and "and 30 more" in page


def test_a_crowded_stage_folds_its_older_versions() -> None:
    columns = tuple(
        StageColumn(s, tuple(VersionStatus(n) for n in range(20, 0, -1)) if s is Stage.ARCHIVED else ()) for s in ORDER
    )
    page = overview_page(an_overview(models=(ModelLine("m", columns),)), HERE)
    shown, folded = page.split("<summary>12 older</summary>")
    assert ">version 13<" in shown and ">version 12<" in folded and ">version 1<" in folded


def test_a_page_of_the_ledger_leads_to_older_and_newest_entries(read: Callable[[str], Any]) -> None:
    middle = a_model_page(older=1764000000000, newest=False)
    found = values(read(model_page(middle, None, HERE)), "a", "href")
    assert {"/slipway/models/late_parcels?until=1764000000000#ledger", "/slipway/models/late_parcels#ledger"} <= set(
        found
    )
    last = values(read(model_page(a_model_page(), None, HERE)), "a", "href")
    assert not [link for link in last if "until" in link]


def test_all_addresses_follow_the_prefix_of_the_server(read: Callable[[str], Any]) -> None:
    below = Frame(REVIEWER, "/team/slipway/", "/team/", "/team/api/2.0/slipway/")
    for page in all_pages(frame=below).values():
        for _, name, value in read(page).attributes:
            assert name not in ("src", "href", "action") or value.startswith(("/team/", "#", "data:,")), value


def test_what_became_of_a_button_is_told() -> None:
    done, undone = (
        Frame(REVIEWER, outcome=ButtonOutcome("Version 4 → Production", done=is_so)) for is_so in (True, False)
    )
    assert "<b>Done.</b> Version 4 → Production" in overview_page(an_overview(models=()), done)
    assert "<b>Not done.</b> Version 4 → Production" in overview_page(an_overview(models=()), undone)


def test_there_is_one_small_stylesheet_that_asks_for_nothing() -> None:
    style = stylesheet()
    assert len(style) < 25_000 and "url(" not in style and "@import" not in style
    assert "prefers-color-scheme: dark" in style and ".columns" in style


def test_a_command_in_a_reason_is_set_as_code_and_nothing_else_is() -> None:
    reason = "`slipway gates m 1` or `<b>`"
    page = version_page(a_version(stage_gates=(StageGates(Stage.STAGING, (FAILED,), (reason,)),)), HERE)
    assert "<code>slipway gates m 1</code> or <code>&lt;b&gt;</code>" in page


def test_that_a_new_judgement_is_not_approved_yet_is_no_refusal() -> None:
    verdicts = (Verdict("approval", False, "nobody has"), FAILED)
    judged, refused = (
        LedgerLine(Transition("m", action, 4, Stage.PRODUCTION, "ci", 1, verdicts=verdicts), "#/run")
        for action in (Action.JUDGE, Action.REFUSE)
    )
    assert "nobody has" not in model_page(a_model_page(lines=(judged,)), None, HERE)
    assert "nobody has" in model_page(a_model_page(lines=(refused,)), None, HERE)


def values(found: Any, tag: str, name: str) -> list[str]:
    return [value for of, key, value in found.attributes if (of, key) == (tag, name)]


def test_the_lists_keep_what_was_asked_for_in_their_links(read: Callable[[str], Any]) -> None:
    listing = Listing("a b&c", Stage.NONE, ReviewState.NEVER, "mara", "waiting", 2)
    assert listing.on_page(3) == "?q=a+b%26c&stage=None&verdict=never+judged&owner=mara&order=waiting&page=3"
    assert Listing().on_page(1) == "" and not Listing(order="newest", page=2).filtered and Listing("x").filtered
    pages = Pages(2, 3, listing.on_page(1), listing.on_page(3))
    found = read(overview_page(an_overview(listing=listing, pages=pages), HERE))
    links = [value for tag, name, value in found.attributes if (tag, name) == ("a", "href")]
    assert {f"/slipway/{listing.on_page(1)}", f"/slipway/{listing.on_page(3)}"} <= set(links)
    assert "41 of 1,000 models" in found.text and "page 2 of 3" in found.text


def test_what_waits_is_on_the_board_and_has_a_page_of_its_own(read: Callable[[str], Any]) -> None:
    text = read(all_pages()["overview"]).text
    assert "Waits for" not in read(overview_page(an_overview(listing=Listing("parcels")), HERE)).text
    assert "Waits for somebody 7" in text and "All 7, oldest first" in text
    pages = all_pages(frame=Frame(replace(REVIEWER, name="jo")))
    assert "Waits for you" in read(pages["overview"]).text
    text = read(pages["work"]).text
    for said in ("approve for Production", "promote to Production", "read 2 entries", "why Sundays?", "My work"):
        assert said in text
    assert "Nothing waits" in read(work_page(WorkPage((), 0, Pages(1, 1)), HERE)).text
    assert "Waits" not in read(overview_page(an_overview(work=(), waiting=0), HERE)).text


def test_the_thread_says_who_said_what_in_order(read: Callable[[str], Any]) -> None:
    text = read(all_pages()["version"]).text
    assert text.index("said by comment") < text.index("said by reject")
    assert 'action="/api/2.0/slipway/models/late_parcels/comments"' in all_pages()["version"]
    page = version_page(a_version(), Frame(Visitor("jo")))
    assert "/comments" not in page and "said by comment" in page


def test_a_version_whose_judgement_no_longer_counts_is_not_called_passed(read: Callable[[str], Any]) -> None:
    status = VersionStatus(3, NOON, "jo", True, Stage.PRODUCTION, stale=True)
    line = ModelLine("late_parcels", (StageColumn(Stage.NONE, (status,)),))
    said = read(model_page(ModelPage(line, ()), None, HERE)).text
    assert "to be judged again" in said and "passed" not in said


def test_the_release_policy_is_told_with_who_set_it_and_its_demands(read: Callable[[str], Any]) -> None:
    text = "gates: {thresholds: {roc_auc: 0.7}} # <b>\n"
    policy = SetPolicy(read_policy(text, "policy.yaml"), text, "pia", 1_764_000_000_000, EVIL, ("ben",))
    line = ModelLine("late_parcels", (StageColumn(Stage.PRODUCTION, ()),))
    found = read(model_page(ModelPage(line, (), policies=Policies(policy, replace(policy, by="kim"))), None, HERE))
    said = " ".join(found.text.split())
    assert "In force: the release policy that pia set on 2025-11-24, approved by ben." in said
    assert "Waits, with 1 of 0 approvals: the release policy that kim set" in said
    assert text.strip() in said and EVIL in said and not {"script", "b"} & set(found.tags)
    assert "each version goes by its own declaration" in model_page(ModelPage(line, ()), None, HERE)
    assert "is not what was written down" in model_page(ModelPage(line, (), policies=None), None, HERE)
