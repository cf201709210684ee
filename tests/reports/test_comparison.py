import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest

from slipway.core.statistics.comparison import Comparison, OnSameRows, Side
from slipway.core.statistics.disagreement import disagreement, disputed_rows
from slipway.core.statistics.metrics import Outcome
from slipway.core.tasks import Task
from slipway.reports.comparison import comparison_page, comparison_text
from slipway.reports.words.comparison import words
from slipway.types import Interval, Stage

HOSTILE = '</script></style></svg><img src=x onerror="alert(1)">'
MADE = datetime(2026, 11, 6, 9, 12, tzinfo=UTC)
SCORES = np.array([[0.1, 0.9, 0.5, 0.2, 0.7, 0.3, 0.4, 0.6], [0.2, 0.1, 0.5, 0.6, 0.9, 0.1, 0.8, 0.5]])


def sides(say: Callable[[str], str]) -> tuple[Side, Side]:
    def side(number: int, **changed: Any) -> Side:
        made = Side(
            label=say(f"version {number}"),
            run_id=f"{number}" * 32,
            run_name=say("search"),
            kind="search",
            status="FINISHED",
            started=datetime(2026, 11, number, 9, 12, tzinfo=UTC),
            version=number,
            stage=Stage.PRODUCTION if number == 1 else Stage.NONE,
            candidate=say("boosting"),
            params={say("max_iter"): say(f"{number}00"), say("loss"): say("log")},
            validation={"roc_auc": 0.7 + number / 100},
            test={"roc_auc": Interval(0.7143, 0.7112, 0.7171)},
            lineage={"data_digest": say("da7a"), "git_commit": say(f"{number}" * 40), "git_dirty": "false"},
            parts={"test": "t"},
            url=f"http://127.0.0.1:5000/#/experiments/1/runs/{number}",
        )
        return replace(made, **changed)

    return side(1), side(2)


def anew(task: Task, say: Callable[[str], str], **changed: Any) -> OnSameRows:
    rows = pd.DataFrame({say("carrier"): [say("UA")] * 8, "distance_km": [float(i) for i in range(8)]})
    truth = np.array([0.0, 1, 1, 0, 1, 0, 1, 1])
    classes = (say("on time"), say("late")) if task.is_classification else ()
    left, right = (
        Outcome(truth, (scores > 0.5).astype(float), scores, True) if classes else Outcome(truth, scores)
        for scores in SCORES
    )
    apart = disagreement(task, left, right)
    made = OnSameRows(
        of=say("version 2"),
        older=say("version 1"),
        tested=8,
        rows=8,
        task=task,
        metric="roc_auc",
        columns=tuple(rows),
        positive=say("late") if classes else "",
        left={"roc_auc": 0.71, "log_loss": 0.5},
        right={"roc_auc": 0.72, "log_loss": 0.6},
        better_by={"roc_auc": Interval(0.0121, 0.0041, 0.0202), "log_loss": Interval(-0.1, -0.3, 0.1)},
        disagreement=apart,
        disputed=disputed_rows(apart, rows, list(rows), classes, left, right),
    )
    return replace(made, **changed)


def filled(word: str = "", task: Task = Task.BINARY, **changed: Any) -> Comparison:
    """A comparison with every field filled; with a `word`, that word is every text of it."""

    def say(text: str) -> str:
        return word or text

    return replace(Comparison(say("flight_delays"), *sides(say), anew(task, say)), **changed)


def text_of(page: str) -> str:
    body = re.sub(r"(?s)<style>.*?</style>|<[^>]+>", " ", page)
    return " ".join(body.split())


def test_page_and_text_say_the_same_and_need_nothing_else(self_contained) -> None:
    compared = filled()
    read = self_contained(comparison_page(compared, MADE))
    text = comparison_text(compared)
    for said in (
        "flight_delays: version 1 and version 2",
        "roc_auc: version 2 is better by 0.0121, 95 % interval 0.0041 to 0.0202, on 8 rows that neither was trained on.",
        "no clear difference: version 1 is better by 0.1000, 95 % interval -0.1000 to 0.3000",
        "scored anew on the 8 test rows of version 2",
        "The answers differ on 50.0% of the rows (4 of 8); the probabilities of 'late' are 0.2750 apart on average.",
        "ecorded on the same rows",
        "0.7143 (0.7112 to 0.7171)",
        "late (0.9000)",
    ):
        assert said in " ".join(read.text.split()), said
        assert said in text, said
    assert "written by slipway on 2026-11-06 09:12 utc" in read.text.lower()


def test_what_differs_is_marked_and_what_does_not_is_not() -> None:
    text = comparison_text(filled())
    marked = [line.split()[1] for line in text.splitlines() if line.startswith("≠")]
    assert marked == ["max_iter", "commit"]
    page = comparison_page(filled(), MADE)
    assert re.findall(r'<tr class="differs">\s*<td class="lead">(\w+)', page) == marked


def test_whatever_it_is_given_is_shown_as_text(self_contained) -> None:
    read = self_contained(comparison_page(filled(HOSTILE), MADE))
    assert read.text.count(HOSTILE) > 35
    assert "img" not in read.tags
    problem = filled(HOSTILE, on_same_rows=anew(Task.BINARY, lambda _: HOSTILE, problems={HOSTILE: HOSTILE}))
    self_contained(comparison_page(problem, MADE))
    self_contained(comparison_page(filled(on_same_rows=None, why_not=HOSTILE), MADE))


def test_only_web_addresses_become_links() -> None:
    left, right = sides(str)
    page = comparison_page(filled(left=replace(left, url="javascript:alert(1)"), right=right), MADE)
    assert re.findall(r'href="([^#d][^"]*)"', page) == [right.url]


def test_without_models_it_says_why_and_shows_what_is_recorded(self_contained) -> None:
    compared = filled(on_same_rows=None, why_not="run 1234 is a trial")
    page = comparison_page(compared, MADE)
    self_contained(page)
    for text in (text_of(page), comparison_text(compared)):
        assert "Recorded numbers only (run 1234 is a trial)." in text
        assert "0.7100" in text and "max_iter" in text
    assert 'href="#same-rows"' not in page and 'id="disagreement"' not in page


def test_a_model_that_cannot_be_applied_is_told_with_what_the_other_scores(self_contained) -> None:
    half = anew(
        Task.BINARY,
        str,
        left={},
        better_by={},
        disagreement=None,
        disputed=(),
        problems={"version 1": "it cannot be applied to the test rows (KeyError: 'x')"},
    )
    page = comparison_page(filled(on_same_rows=half), MADE)
    self_contained(page)
    for text in (text_of(page).replace("&#39;", "'"), comparison_text(filled(on_same_rows=half))):
        assert "version 1 could not be scored anew: it cannot be applied to the test rows (KeyError: 'x')" in text
        assert "measured of one only" in text and "0.7200" in text
    assert "'late'" not in text


@pytest.mark.parametrize(
    ("trained_on", "said"), [(None, "it is not known whether"), (8, "was trained on all of these")]
)
def test_rows_that_flatter_the_older_model_are_told_in_the_headline(trained_on: int | None, said: str) -> None:
    doubtful = filled(on_same_rows=anew(Task.BINARY, str, trained_on=trained_on))
    assert said in comparison_text(doubtful).splitlines()[1]
    assert said in re.search(r'<p class="goal">(.*?)</p>', comparison_page(doubtful, MADE))[1]
    assert "neither was trained on" not in comparison_text(doubtful)


def test_numbers_of_different_data_are_shown_with_a_warning_beside_them() -> None:
    left, right = sides(str)
    other = filled(left=replace(left, lineage={**left.lineage, "data_digest": "0ther"}), right=right)
    assert "recorded on different data: these numbers do not say which of the two is better\n" in comparison_text(other)
    page = comparison_page(other, MADE)
    assert '<section id="recorded" class="doubt">' in page
    assert "Recorded on different data: these numbers do not say" in page
    assert '<section id="recorded">' in comparison_page(filled(), MADE)


def test_a_regression_speaks_of_values_and_of_who_is_nearer() -> None:
    text = comparison_text(filled(task=Task.REGRESSION))
    assert "The answers are 0.2750 apart on average (the mean absolute difference)." in text
    assert "version 1 is nearer to the truth on 4, version 2 on 3" in text
    assert "true: 1, version 1: 0.9, version 2: 0.1 | carrier=UA, distance_km=1" in text


def test_the_text_shows_a_few_of_the_disputed_rows_and_says_that_there_are_more() -> None:
    text = comparison_text(filled())
    assert "(the first 5; all are on the page and in --json)" in text
    assert text.count("true: ") == 5
    assert comparison_page(filled(), MADE).count('data-label="truth"') == 7


@pytest.mark.parametrize(
    ("interval", "said"),
    [
        (Interval(0.02, 0.01, 0.03), "right is better by 0.0200, 95 % interval 0.0100 to 0.0300"),
        (Interval(-0.02, -0.03, -0.01), "left is better by 0.0200, 95 % interval 0.0100 to 0.0300"),
        (Interval(-0.02, -0.03, 0.0), "no clear difference: left is better by 0.0200, 95 % interval 0.0000 to 0.0300"),
        (Interval(0.0, -0.01, 0.02), "no difference, 95 % interval -0.0100 to 0.0200"),
        (Interval(0.0, 0.0, 0.0), "no difference at all"),
        (Interval(float("nan"), 0.0, 0.1), "not defined on these rows"),
        (
            Interval(0.02, float("nan"), float("nan")),
            "no clear difference: right is better by 0.0200, 95 % interval not",
        ),
    ],
)
def test_a_difference_is_told_from_the_better_side_and_only_where_it_is_clear(interval: Interval, said: str) -> None:
    assert words(interval, "left", "right").startswith(said)


def test_columns_of_the_text_stay_under_their_side() -> None:
    lines = comparison_text(filled()).splitlines()
    head = lines[3]
    (row,) = (line for line in lines if line.startswith("  candidate"))
    assert row.index("boosting") == head.index("version 1")
    assert row.rindex("boosting") == head.index("version 2")
