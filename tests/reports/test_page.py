import base64
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest

from slipway.core.release.transitions import Action, Transition
from slipway.core.trials import Trial
from slipway.core.variants import VariantRecord, VariantRole, VariantState
from slipway.reports.page import ExperimentPage, LiveVersion, VersionRow, experiment_page
from slipway.types import Stage, Verdict

HOSTILE = '</script></style></svg><img src=x onerror="alert(1)">'


def test_the_page_holds_all_of_the_card_and_needs_nothing_else(page, self_contained):
    text = self_contained(experiment_page(page)).text
    for said in (
        "Rebook passengers.",
        "0.7112 to 0.7171",
        "The late rate moves.",
        "sha256:5bec",
        "printed in the schedule",
    ):
        assert said in text


def test_the_headline_says_what_stands_where_since_when_and_by_whom(page, self_contained):
    text = " ".join(self_contained(experiment_page(page)).text.split())
    assert "Production version 3 since 2026-11-04 09:12 UTC by mara" in text
    assert "Staging empty" in text
    assert "roc_auc on the test rows, version 3 0.7143 95 % interval 0.7112 to 0.7171" in text


def test_whatever_it_is_given_is_shown_as_text(filled_page, self_contained):
    read = self_contained(experiment_page(filled_page(HOSTILE)))
    assert read.text.count(HOSTILE) > 35
    assert read.tags.count("img") == 3, "the three figures, nothing that was smuggled in"


def test_figures_are_inside_byte_for_byte_in_the_order_given(filled_page, self_contained):
    images = {"roc": b"\x89PNG one", "confusion_matrix": b"\x89PNG two"}
    read = self_contained(
        experiment_page(filled_page(plots=images, history_png=b"\x89PNG three", parallel_png=b"\x89PNG four"))
    )
    sources = [
        value.removeprefix("data:image/png;base64,")
        for tag, name, value in read.attributes
        if (tag, name) == ("img", "src")
    ]
    assert [base64.b64decode(source) for source in sources] == [
        b"\x89PNG one",
        b"\x89PNG two",
        b"\x89PNG three",
        b"\x89PNG four",
    ]
    assert ("img", "alt", "ROC curve") in read.attributes and ("img", "alt", "Confusion matrix") in read.attributes


def rows_of(page: str, label: str) -> list[str]:
    table = page[page.index(f'aria-label="{label}"') :]
    return table[table.index("<tbody>") : table.index("</tbody>")].split("<tr")[1:]


def test_the_leaderboard_is_sorted_by_the_metric_with_failures_last(filled_page):
    trials = (
        Trial(0, "first", 0.7),
        Trial(1, "broken", None, error="did not converge"),
        Trial(2, "second", 0.8),
    )
    rows = rows_of(experiment_page(filled_page(trials=trials)), "Leaderboard of trials")
    assert [next(name for name in ("first", "second", "broken") if name in row) for row in rows] == [
        "second",
        "first",
        "broken",
    ]
    assert "winner" in rows[0] and "winner" not in "".join(rows[1:])
    assert "did not converge" in rows[2] and "failed" in rows[2]


def equals(*, prefer: str, filled_card, filled_page) -> list[str]:
    """The rows of a leaderboard whose first two trials are within each other's noise, the second faster and smaller."""
    shared = np.random.default_rng(0).normal(size=50)
    trials = tuple(
        Trial(i, "c", score, resamples=tuple(score + 0.01 * shared + noise), predict_ms=ms, size_bytes=size)
        for i, score, ms, size, noise in (
            (0, 0.800, 9.0, 2_000_000, 0.0),
            (1, 0.799, 3.5, 48_000, 0.002 * shared[::-1]),
            (2, 0.700, 1.0, 900, 0.0),
        )
    )
    search = replace(filled_card().search, preferred=prefer)
    return rows_of(
        experiment_page(filled_page(card=filled_card(search=search), trials=trials)), "Leaderboard of trials"
    )


@pytest.mark.parametrize(("prefer", "taken"), [("best", 0), ("", 0), ("fastest", 1), ("simplest", 1)])
def test_the_trial_that_was_taken_and_those_within_noise_are_marked(prefer, taken, filled_card, filled_page):
    rows = equals(prefer=prefer, filled_card=filled_card, filled_page=filled_page)
    assert [">taken<" in row for row in rows] == [taken == 0, taken == 1, False]
    assert [">within noise<" in row for row in rows] == [taken == 1, taken == 0, False]
    assert "winner" in rows[taken]


def test_what_an_answer_takes_and_a_model_weighs_is_shown_where_it_was_measured(filled_card, filled_page):
    row = equals(prefer="best", filled_card=filled_card, filled_page=filled_page)[1]
    assert "3.5 ms" in row and "48 kB" in row
    assert "1000 answers" not in experiment_page(filled_page())


def test_trials_on_a_part_of_the_rows_say_how_many_and_have_no_rank(filled_page):
    trials = (Trial(0, "whole", 0.7), Trial(1, "part", 0.9, share=1 / 9))
    page = experiment_page(filled_page(trials=trials))
    whole, part = rows_of(page, "Leaderboard of trials")
    assert "100%" in whole and "11.1%" in part and '<td class="num">–</td>' in part
    assert '<th class="num">Rows</th>' in page[page.index("Leaderboard of trials") :]
    alone = experiment_page(filled_page(trials=trials[:1]))
    assert "100%" not in rows_of(alone, "Leaderboard of trials")[0]


@pytest.mark.parametrize(
    ("count", "shown", "said"), [(200, 200, None), (201, 200, "and 1 more trial"), (1234, 200, "and 1,034 more")]
)
def test_a_long_leaderboard_stops_at_two_hundred_and_says_how_many_more(count, shown, said, filled_page):
    page = experiment_page(filled_page(trials=tuple(Trial(i, "c", i / count) for i in range(count))))
    assert len(rows_of(page, "Leaderboard of trials")) == shown
    assert (said in page) if said else ("more trial" not in page)


def test_a_search_in_which_all_failed_has_no_winner(filled_page):
    page = experiment_page(filled_page(trials=(Trial(0, "c", None),)))
    assert "winner" not in rows_of(page, "Leaderboard of trials")[0]


def test_versions_and_transitions_are_shown_newest_first(filled_page):
    def moved(day: int, version: int) -> Transition:
        at_ms = int(datetime(2026, 11, day, tzinfo=UTC).timestamp() * 1000)
        return Transition("flights", Action.PROMOTE, version, Stage.STAGING, "mara", at_ms)

    page = experiment_page(
        filled_page(
            versions=(VersionRow(2, Stage.ARCHIVED), VersionRow(10, Stage.PRODUCTION), VersionRow(9, Stage.NONE)),
            transitions=(moved(2, 2), moved(9, 10), moved(4, 9)),
        )
    )
    versions = rows_of(page, "Registered versions")
    assert [row.split("</span>")[1].split("<")[0] for row in versions] == ["10", "9", "2"]
    days = [row.split("2026-11-")[1][:2] for row in rows_of(page, "Transitions between stages")]
    assert days == ["09", "04", "02"]


def test_verdicts_are_shown_with_their_reasons_and_refusals_are_marked(filled_page):
    verdicts = (Verdict("threshold", True, "0.71 is enough"), Verdict("not_worse", False, "0.01 lower"))
    page = experiment_page(filled_page(versions=(VersionRow(4, Stage.NONE, verdicts=verdicts),)))
    (row,) = rows_of(page, "Registered versions")
    assert row.index("passed") < row.index("0.71 is enough") < row.index("refused") < row.index("0.01 lower")
    assert ">refused<" in rows_of(page, "Transitions between stages")[0]


def test_only_web_addresses_become_links(filled_page, self_contained):
    links = {
        "good": "https://mlflow.example.org/#/runs/1",
        "bad": "javascript:alert(1)",
        "worse": "data:text/html,x",
        "file": "file:///x",
    }
    read = self_contained(experiment_page(filled_page(links=links)))
    followed = [
        value for tag, name, value in read.attributes if (tag, name) == ("a", "href") and not value.startswith("#")
    ]
    assert followed == ["https://mlflow.example.org/#/runs/1"]


def test_every_place_that_the_page_points_to_exists(page, self_contained):
    read = self_contained(experiment_page(page))
    places = [value for _, name, value in read.attributes if name == "id"]
    assert len(places) == len(set(places))
    assert {value[1:] for _, name, value in read.attributes if name == "href" and value.startswith("#")} <= set(places)


def test_times_are_told_in_utc(filled_page):
    there = datetime(2026, 11, 4, 1, 30, tzinfo=timezone(timedelta(hours=9)))
    page = filled_page(standings=(LiveVersion(Stage.PRODUCTION, 3, there, "mara"),))
    assert "since 2026-11-03 16:30 UTC by mara" in " ".join(experiment_page(page).split())


def test_a_page_with_nothing_but_a_card_is_complete(filled_card, self_contained):
    card = filled_card(version=None, results=(), gates=(), caveats=(), columns=())
    page = experiment_page(ExperimentPage(card, datetime(2026, 11, 6, tzinfo=UTC)))
    text = self_contained(page).text
    for said in (
        "There are no results.",
        "There are no trials.",
        "No version is registered.",
        "Nothing has moved yet.",
    ):
        assert said in text
    assert text.count("No version is in this stage.") == 2 and "not measured" in text
    assert "<img" not in page and 'href="#plots"' not in page


def test_sections_of_the_card_that_are_empty_are_on_neither_page_nor_list(filled_card, filled_page):
    empty = filled_card(slices=(), fairness=(), decided=None, calibration=None, disagreement=None)
    page = experiment_page(filled_page(card=empty))
    for section in ("slices", "fairness", "decision", "disagreement"):
        assert f'href="#{section}"' not in page and f'id="{section}"' not in page
        assert f'href="#{section}"' in experiment_page(filled_page())


def test_a_page_can_be_printed(page):
    text = experiment_page(page)
    assert "@media print" in text


def test_the_page_says_nothing_of_times_it_does_not_know(filled_page):
    page = filled_page(standings=(LiveVersion(Stage.STAGING, 5),))
    text = experiment_page(replace(page, transitions=()))
    assert "version 5" in text and "None" not in text.replace('"pill None">not in a stage yet<', "")


def test_a_variant_is_shown_with_its_numbers_beside_its_guardrails(filled_page, self_contained):
    text = " ".join(self_contained(experiment_page(filled_page())).text.split())
    for said in (
        "Version 4 (Staging) answered 5.0% of the callers beside version 3, from 2026-11-05 09:02 UTC to 2026-11-05 09:12 UTC: "
        "1,300 requests of 1,350 rows. ended",
        "Violation: 42.5 % of 1,200 compared rows",
        "Rows answered otherwise, of 1,200 compared 42.5% 10.0%",
        "Not answered, of 1,300 requests 0.2% 1.0%",
        "99th percentile of the variant's latency 4.2 ms 3 times the primary's",
        "Answers that were not compared for want of time 7",
    ):
        assert said in text
    assert "Canary" not in experiment_page(filled_page(arms=()))


def test_a_variant_that_nobody_asked_yet_is_shown_too(filled_page, self_contained):
    seen = VariantRecord("m", VariantRole.SHADOW, "7", 1.0, VariantState.SERVING, 7, 3, 0.0, 0.0)
    text = " ".join(self_contained(experiment_page(filled_page(arms=(seen,)))).text.split())
    assert "Version 7 (7) answered all of the requests, unheard, beside version 3" in text
    assert "of 0 compared – –" in text
