import math
from dataclasses import FrozenInstanceError, replace

import pytest
from markdown_it import MarkdownIt
from pydantic import TypeAdapter

from slipway.core.statistics.calibration import Calibration, CalibrationBin
from slipway.core.statistics.disagreement import MOST, DisputedRow, Gap, OneAnswer
from slipway.core.statistics.slices import Slice
from slipway.core.tasks import Task
from slipway.reports.card import (
    CardData,
    CardDecision,
    CardDisagreement,
    CardResult,
    CardSearch,
    ModelCard,
    html,
    markdown,
)
from slipway.types import Interval

OLD_SEARCH = ("metric", "trials_done", "trials_failed", "candidates", "winner", "parameters", "validation_value",
              "duration_s", "seed")  # fmt: skip
HOSTILE = '</script></style><img src=x onerror="alert(1)">'
SAID = (
    "flight_delays", "8f1c2d3e4a5b46c7", "Say whether a flight will land late.", "Rebook passengers.", "ops", "mvp",
    "late", "binary", "minutes", "flights.csv", "327,346", "137,211", "2013-05-31", "sha256:da7a", "by time",
    "carrier", "category", "0.4%", "printed in the schedule", "58 done, 2 failed", "boosting", "max_iter", "312",
    "0.7612", "0.7143", "0.7112 to 0.7171", "0.5000", "log_loss", "lower is better", "threshold",
    "roc_auc at least 0.68", "Staging", "The late rate moves.", "4f2a9c", "sha256:5bec", "sha256:10c4",
    "sha256:a27f", "f.py", "2026-11-03 14:05 UTC",
    "7 other trials are within the noise of the best; taken was the simplest of them", "each on 5 folds",
    "31 of those done were let go early", "origin", "LGA", "4,321", "0.6510", "0.6410 to 0.6620", "-0.0710",
    "-0.0820 to -0.0600", "worse than the rest", "HOU", "fewer than 30 rows", "1 of 1 slices is worse",
    "region", "north", "880", "0.3125",
    "the demographic parity difference is 0.1275", "These have too few rows to be compared: south", "0.1725", "4.5",
    "0.3456", "0.3401 to 0.3511", "0.4567", "0.6789", "0.7891", "is 0.0234 off on average", "0.6543", "0.5678",
    "sla.availability", "0.993", "not measured yet",
    "Disagreement with version 2", "3.1% of 50,123 test rows", "MQ", "on time (0.4812)", "late (0.7123)",
)  # fmt: skip


def bare(**changed: object) -> ModelCard:
    """A card with nothing in it that can be left out."""
    return ModelCard(
        **{
            **dict.fromkeys(("name", "run_id", "goal", "decision", "owner", "maturity", "target"), ""),
            "task": Task.REGRESSION,
            "data": CardData("", 0, "", "", ()),
            "columns": (),
            "search": CardSearch("rmse", 0, 0, (), ""),
            "results": (),
            **changed,
        }
    )  # type: ignore[arg-type]


def rendered(text: str) -> str:
    return MarkdownIt("gfm-like", {"linkify": False}).render(text)


@pytest.mark.parametrize("said", SAID)
def test_both_texts_say_everything_the_card_holds(card, said, self_contained):
    assert said in self_contained(html(card)).text
    assert said in markdown(card)


def test_a_card_cannot_be_changed(card):
    with pytest.raises(FrozenInstanceError):
        card.name = "other"


def test_html_shows_whatever_it_is_given_as_text(filled_card, self_contained):
    read = self_contained(html(filled_card(HOSTILE)))
    assert read.text.count(HOSTILE) > 25
    assert "img" not in read.tags


@pytest.mark.parametrize(
    "hostile",
    [
        HOSTILE,
        "a | b | c",
        "two\n\n# lines",
        "[link](javascript:alert(1))",
        "`code` **bold** _slanted_ ~~gone~~",
        "# heading",
        "- item",
        "1. item",
        "> quote",
        "&lt;b&gt;",
        "back\\slash \\| \\<b>",
    ],
)
def test_markdown_shows_whatever_it_is_given_as_text(hostile, filled_card):
    page, plain = rendered(markdown(filled_card(hostile))), rendered(markdown(filled_card("word")))
    shape = [piece.split(">")[0].split(" ")[0] for piece in page.split("<")[1:]]
    assert shape == [piece.split(">")[0].split(" ")[0] for piece in plain.split("<")[1:]], "the same elements, no more"
    shown = (
        " ".join(hostile.split()).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
    )
    assert page.count(shown) > 25


def test_names_stay_readable_in_markdown(card):
    assert "| roc_auc (higher is better) | 0.7143 | 0.7112 to 0.7171 | 0.5000 |" in markdown(card)
    assert "Model card: flight_delays version 3" in markdown(card)


def test_markdown_tables_have_a_cell_for_each_baseline_even_where_one_is_missing(filled_card):
    results = (
        CardResult("roc_auc", Interval(0.7, 0.6, 0.8), {"prior": 0.5, "rule": 0.6}),
        CardResult("log_loss", Interval(0.4, 0.3, 0.5), {"prior": 0.6}),
    )
    card = filled_card(results=results)
    assert card.baseline_names == ("prior", "rule")
    lines = markdown(card).splitlines()
    start = lines.index("| Metric | Model | 95 % interval | prior | rule |")
    assert [line.count("|") for line in lines[start : start + 4]] == [6, 6, 6, 6]
    assert lines[start + 3].endswith("| 0.6000 | – |")


def test_what_is_not_defined_is_said_so(filled_card, self_contained):
    card = filled_card(results=(CardResult("roc_auc", Interval(math.nan, math.nan, math.nan), {"prior": math.nan}),))
    for text in (markdown(card), self_contained(html(card)).text):
        assert text.count("not defined") == 3
        assert "nan" not in text.lower()


def test_a_baseline_that_is_as_good_is_marked_whichever_way_the_metric_points(filled_card):
    def unbeaten(metric: str, baseline: float) -> bool:
        return "not beaten" in html(
            filled_card(results=(CardResult(metric, Interval(0.5, 0.4, 0.6), {"b": baseline}),))
        )

    assert [unbeaten("roc_auc", value) for value in (0.4, 0.5, 0.6, math.nan)] == [False, True, True, False]
    assert [unbeaten("log_loss", value) for value in (0.4, 0.5, 0.6, math.nan)] == [True, True, False, False]
    assert not unbeaten("a_metric_of_their_own", 0.4)


def test_a_bare_card_is_complete(self_contained):
    text = self_contained(html(bare())).text
    for said in ("There are no results.", "No caveat was given.", "not registered", "No gate was written down"):
        assert said in text
    for said in ("There are no results.", "No caveat was given.", "No gate was written down"):
        assert said in markdown(bare())
    assert "None" not in text + markdown(bare())


def test_sections_that_have_nothing_to_say_are_left_out():
    for text in (html(bare()), markdown(bare())):
        body = text[text.index("Model card") :]
        for word in (
            "Decision\n",
            "Slices",
            "Fairness",
            "Disagreement",
            "Calibration",
            "Taken at its word",
            "noise",
            "folds",
        ):
            assert word not in body.replace("<h2>Decision</h2>", "Decision\n"), word


def test_slices_that_are_not_worse_are_not_marked(filled_card, self_contained):
    fine = Slice("origin", "JFK", 400, Interval(0.7, 0.6, 0.8), "", Interval(0.0, -0.1, 0.1))
    card = filled_card(slices=(fine, replace(fine, difference=None)))
    for text in (self_contained(html(card)).text, markdown(card)):
        assert text.count("JFK") == 2 and "is worse than the rest beyond noise" in text
        assert text.count("worse") == 2, "in the sentence only"


@pytest.mark.parametrize(("at_half", "marks"), [(0.4567, 0), (0.3456, 1), (0.2, 1)])
def test_a_decision_that_costs_as_little_without_the_model_is_marked(at_half, marks, filled_card):
    decided = CardDecision(0.17, 1, 4.5, Interval(0.3456, 0.34, 0.35), at_half, 0.68, 0.79)
    assert html(filled_card(decided=decided)).count("not dearer") == marks


def test_twenty_disputed_rows_are_shown(filled_card):
    row = DisputedRow(0, {"carrier": "MQ"}, 1, OneAnswer(0), OneAnswer(1), 1.0)
    text = html(filled_card(disagreement=CardDisagreement(2, 0.1, 0.1, Gap.LABEL, 100, (row,) * 30)))
    table = text[text.index("Rows on which") :]
    assert table[: table.index("</table>")].count("<tr>") == 1 + MOST


def test_the_columns_of_disputed_rows_are_there_even_where_one_has_no_value(filled_card):
    rows = (
        DisputedRow(0, {"a": 1, "b": None}, 2.5, OneAnswer(1.25), OneAnswer(9.0), 7.75),
        DisputedRow(1, {"c": 0.125}, 3.0, OneAnswer(None), OneAnswer(0.0), 1.0),
    )
    found = CardDisagreement(2, 0.1, 4.0, Gap.VALUE, 100, rows)
    lines = markdown(filled_card(disagreement=found)).splitlines()
    start = lines.index("| Truth | This model | Version 2 | a | b | c |")
    assert lines[start + 2 : start + 4] == [
        "| 2.5 | 1.25 | 9 | 1 | – | – |",
        "| 3 | a class that these rows do not have | 0 | – | – | 0.125 |",
    ]


@pytest.mark.parametrize(("truth", "marks"), [(1, [False, True]), (0, [True, False]), (2, [False, False])])
def test_the_answer_that_was_right_is_marked(truth, marks, filled_card):
    row = DisputedRow(0, {}, truth, OneAnswer(0), OneAnswer(1), 1.0)
    text = html(filled_card(disagreement=CardDisagreement(2, 0.1, 0.1, Gap.LABEL, 100, (row,))))
    cells = text[text.index("Rows on which") :].split("</tr>")[1].split("<td")[3:]
    assert ["✓" in cell for cell in cells] == marks


def test_markdown_tables_are_tables(card):
    assert rendered(markdown(card)).count("<table>") == 7


def test_a_card_can_be_written_as_json_and_read_back(card):
    adapter = TypeAdapter(ModelCard)
    assert adapter.validate_json(adapter.dump_json(card)) == card


def test_a_card_from_before_it_had_these_sections_can_still_be_read():
    adapter = TypeAdapter(ModelCard)
    new = ("slices", "fairness", "decided", "calibration", "disagreement")
    old = {key: value for key, value in adapter.dump_python(bare(), mode="json").items() if key not in new}
    old["search"] = {key: value for key, value in old["search"].items() if key in OLD_SEARCH}
    assert adapter.validate_python(old) == bare()
    assert "0 done, 0 failed" in markdown(adapter.validate_python(old))


def test_zero_failed_trials_are_said():
    assert "0 done, 0 failed" in markdown(bare())


def test_the_card_fits_any_screen_and_both_schemes(card):
    page = html(card)
    assert '<meta name="viewport" content="width=device-width, initial-scale=1">' in page
    assert "prefers-color-scheme: dark" in page and page.count("<style>") == 1
    assert "default-src 'none'" in page


def test_the_decision_is_warned_of_where_probabilities_mislead(filled_card):
    off = Calibration(0.35, (CalibrationBin(0.6, 0.25, 5000), CalibrationBin(0.9, 0.55, 5000)))
    for write in (markdown, html):
        assert "cannot be taken at their word: they are 0.35 off" in write(filled_card(calibration=off))
        assert "cannot be taken at their word" not in write(filled_card())
        assert "were calibrated before" not in write(filled_card())
    settled = replace(filled_card().decided, calibrated=True)
    assert "were calibrated before, on the same rows" in markdown(filled_card(decided=settled))
