import math
from dataclasses import FrozenInstanceError

import pytest
from markdown_it import MarkdownIt

from slipway.core.metrics import Task
from slipway.reports.card import CardData, CardResult, CardSearch, ModelCard, html, markdown
from slipway.types import Interval

HOSTILE = '</script></style><img src=x onerror="alert(1)">'
SAID = (
    "flight_delays", "8f1c2d3e4a5b46c7", "Say whether a flight will land late.", "Rebook passengers.", "ops", "mvp",
    "late", "binary", "minutes", "flights.csv", "327,346", "137,211", "2013-05-31", "sha256:da7a", "by time",
    "carrier", "category", "0.4%", "printed in the schedule", "58 done, 2 failed", "boosting", "max_iter", "312",
    "0.7612", "0.7143", "0.7112 to 0.7171", "0.5000", "log_loss", "lower is better", "threshold",
    "roc_auc at least 0.68", "Staging", "The late rate moves.", "4f2a9c", "sha256:5bec", "sha256:10c4",
    "sha256:a27f", "f.py", "2026-11-03 14:05 UTC",
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
    for said in ("There are no results.", "No caveat was given.", "not registered", "declares no gate"):
        assert said in text
    for said in ("There are no results.", "No caveat was given.", "declares no gate"):
        assert said in markdown(bare())
    assert "None" not in text + markdown(bare())


def test_zero_failed_trials_are_said():
    assert "0 done, 0 failed" in markdown(bare())


def test_the_card_fits_any_screen_and_both_schemes(card):
    page = html(card)
    assert '<meta name="viewport" content="width=device-width, initial-scale=1">' in page
    assert "prefers-color-scheme: dark" in page and page.count("<style>") == 1
    assert "default-src 'none'" in page
