"""The page of a version: the decision above the buttons, the version in Production in every table, and what changed."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from slipway.core.release.changes import ABSENT, Change, Changes
from slipway.reports.board import (
    AnswersCompared,
    Button,
    ChampionBeside,
    FactBeside,
    Frame,
    MetricBeside,
    StageGates,
    VersionPage,
    VersionStatus,
    Visitor,
    version_page,
)
from slipway.reports.card import ModelCard
from slipway.types import Stage, Verdict

EVIL = "<script>alert('harbour')</script>\" onclick=x"
HERE = Frame(Visitor(may=frozenset({"approve", "promote"})))
CHANGES = Changes(
    declaration=(Change("gates.thresholds.roc_auc", "0.7", "0.01"), Change("gates.approval.number", "1", ABSENT)),
    packages=(Change("numpy", ABSENT, "2.0"),),
    unknown=("data",),
    link="https://github.com/ships/yard/compare/a...b",
)
METRICS = (MetricBeside("roc_auc", 0.81, 0.79, 0.02), MetricBeside("cost per 1,000 rows", 400.0, 420.0, 20.0))


def a_page(word: str = "", **changed: Any) -> VersionPage:
    beside = ChampionBeside(2, True, CHANGES, (FactBeside("max_depth", word or "6", "2"), FactBeside("seed", "3", "3")))
    page = VersionPage(
        name="late_parcels",
        column=Stage.NONE,
        version=VersionStatus(4),
        created=datetime(2026, 11, 24, tzinfo=UTC),
        buttons=(Button("archive", "Archive", "It is kept.", Stage.ARCHIVED),),
        stage_gates=(StageGates(Stage.PRODUCTION),),
        comparison=AnswersCompared("run", 450, 2, (), None, 600, METRICS, {("carrier", "OO"): 0.7}),
        decision=word or "Better than version 2 in Production by 0.02. Ask with `slipway gates x 4`.",
        tone="good",
        difference=Verdict("not_worse_than_champion", True, "", {"difference": 0.02, "low": 0.01, "high": 0.03}),
        beside=beside,
    )
    return replace(page, **changed)


def test_the_decision_stands_above_the_buttons_with_its_interval(read: Callable[[str], Any]) -> None:
    page = version_page(a_page(), HERE)
    assert (
        page.index("Better than version 2 in Production")
        < page.index('<h2 id="actions"')
        < page.index('<h2 id="beside"')
    )
    assert "in-short good" in page and "<code>slipway gates x 4</code>" in page and "svg" in read(page).tags


def test_both_versions_are_in_the_tables_with_the_rows_they_were_measured_on(read: Callable[[str], Any]) -> None:
    text = " ".join(read(version_page(a_page(), HERE)).text.split())
    assert "roc_auc higher is better0.81000.7900+0.0200 +0.0100 to +0.0300" in text
    assert "cost per 1,000 rows lower is better400.00420.00+20.00" in text
    assert "On the same 450 rows of 600 test rows, those that version 2 was not trained on" in text
    assert "slipway compare late_parcels 4 2" in text and "max_depth62" in text


def test_what_changed_is_told_line_by_line_with_a_link_to_the_commits(read: Callable[[str], Any]) -> None:
    found = read(version_page(a_page(), HERE))
    text = " ".join(found.text.split())
    assert "What changed since version 2, which is in Production" in text
    assert "gates.thresholds.roc_auc0.70.01 gates.approval.number removed1–" in text and "numpy added–2.0" in text
    assert "The same in both: code" in text and "Not recorded of both: data" in text
    assert ("a", "href", CHANGES.link) in found.attributes
    nothing = version_page(a_page(beside=ChampionBeside(2, False, Changes())), HERE)
    assert "Nothing: declaration, data, code and packages are the same." in nothing


def test_a_judgement_beside_another_version_than_the_one_in_production_says_so() -> None:
    other = version_page(a_page(beside=ChampionBeside(3, True, CHANGES)), HERE)
    assert "The last judgement compared with version 2</b>, not with version 3" in other
    assert "The last judgement compared" not in version_page(a_page(), HERE)


def test_results_slices_and_groups_have_a_column_of_the_other_version(
    read: Callable[[str], Any], filled_card: Callable[..., ModelCard]
) -> None:
    card = filled_card("late")
    part, group = card.slices[0], card.fairness[0].groups[0]
    comparison = AnswersCompared("run", 450, 2, (), None, 600, METRICS, {(part.column, part.value): 0.123})
    beside = ChampionBeside(2, True, CHANGES, card=card)
    text = " ".join(read(version_page(a_page(card=card, comparison=comparison, beside=beside), HERE)).text.split())
    assert "0.1230" in text and "Version 2 was measured on the 450 rows that it was not trained on." in text
    measure = card.fairness[0].measures[0]
    assert f"{measure}, version 2" in text and f"{group.value}" in text
    assert "The columns of version 2 are of its own test rows." in text


def test_a_visitor_who_can_do_nothing_is_told_so_and_one_without_a_role_is_not() -> None:
    assert "nothing that you could do" in version_page(a_page(buttons=()), HERE)
    assert "nothing that you could do" not in version_page(a_page(buttons=()), Frame(Visitor()))


@pytest.mark.parametrize("place", ["decision", "facts", "changes", "link"])
def test_what_people_wrote_is_text(read: Callable[[str], Any], place: str) -> None:
    changes = Changes(declaration=(Change(EVIL, EVIL, EVIL),), link="javascript:alert(1)" if place == "link" else "")
    page = a_page(EVIL) if place in ("decision", "facts") else a_page(beside=ChampionBeside(2, True, changes))
    found = read(version_page(page, HERE))
    assert "script" not in found.tags and not [name for _, name, _ in found.attributes if name.startswith("on")]
    assert not [value for _, name, value in found.attributes if name == "href" and value.startswith("javascript")]
    assert place == "link" or EVIL in found.text
