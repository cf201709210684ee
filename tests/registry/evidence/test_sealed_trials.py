"""The trials that are kept with the evidence of a search, and what was changed of their runs since."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from slipway.core.trials import Answers, Trial
from slipway.registry.evidence.sealed_trials import changes, load, save
from slipway.registry.evidence.test_rows import FOLDER

DONE = Trial(1, "tree", 0.71, {"depth": 3, "rule": None}, 0.5, metrics={"roc_auc": 0.71}, rungs=((0.5, 0.6),))
FAILED = Trial(2, "tree", None, {"depth": 9}, error="ValueError: too deep", warnings=("slow",))
BOTH = (DONE, FAILED)


def test_trials_are_read_as_they_were_written(tmp_path: Path) -> None:
    save(tmp_path / FOLDER, BOTH)
    assert load(tmp_path) == BOTH


def test_the_answers_of_a_trial_are_not_sealed(tmp_path: Path) -> None:
    answers = Answers((np.zeros(3, dtype=np.float32),))
    save(tmp_path / FOLDER, [Trial(1, "tree", 0.7, answers=answers)])
    (read,) = load(tmp_path) or ()
    assert read.answers == Answers()


def test_a_run_that_kept_no_trials_says_nothing_of_them(tmp_path: Path) -> None:
    assert load(tmp_path) is None


def test_what_is_the_same_is_no_change() -> None:
    assert changes(BOTH, BOTH, "roc_auc") == []
    assert changes(BOTH, (replace(DONE, score=0.71 + 1e-12, duration_s=9.0), FAILED), "roc_auc") == []


def test_every_trial_that_was_rewritten_removed_or_added_is_named() -> None:
    better, mended = replace(DONE, score=0.999), replace(FAILED, score=0.8, candidate="linear")
    assert changes(BOTH, (better, mended), "roc_auc") == [
        "trial 1 was changed after the search: roc_auc was 0.71 and is 0.999",
        "trial 2 was changed after the search: candidate was tree and is linear; roc_auc was none (it failed) and is 0.8",
    ]
    assert changes(BOTH, (replace(DONE, params={"depth": 4, "rule": None}), replace(FAILED, number=7)), "roc_auc") == [
        'trial 1 was changed after the search: params was {"depth": 3, "rule": null} and is {"depth": 4, "rule": null}',
        "the run of trial 2 is gone",
        "trial 7 was added after the search",
    ]


@given(st.lists(st.one_of(st.none(), st.floats(-1e6, 1e6)), max_size=6), st.data())
def test_a_score_that_differs_is_found_wherever_it_is(scores: list[float | None], data: st.DataObject) -> None:
    sealed = [Trial(number, "c", score, {"x": number}) for number, score in enumerate(scores, 1)]
    assert changes(sealed, sealed, "rmse") == []
    if sealed:
        at = data.draw(st.integers(0, len(sealed) - 1))
        was = sealed[at].score
        other = replace(sealed[at], score=1.0 if was is None else was + 1)
        (said,) = changes(sealed, [*sealed[:at], other, *sealed[at + 1 :]], "rmse")
        assert said.startswith(f"trial {at + 1} was changed")
