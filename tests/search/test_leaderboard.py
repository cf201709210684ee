import pandas as pd

from slipway.core.trials import EnsembleMember, Trial
from slipway.search import leaderboard

TRIALS = [
    Trial(1, "tree", 0.7, {"max_depth": 2}, 0.12345, metrics={"accuracy": 0.6, "roc_auc": 0.7}),
    Trial(2, "broken", None, {}, 0.5, error="ValueError: no"),
    Trial(3, "tree", 0.9, {"max_depth": 4, "criterion": "gini"}, 1.0, metrics={"roc_auc": 0.9, "accuracy": 0.8}),
]


def test_the_table_has_the_best_first_and_the_failed_last_without_a_rank() -> None:
    table = leaderboard(TRIALS, "roc_auc")
    assert table["trial"].tolist() == [3, 1, 2]
    assert table["rank"].dropna().tolist() == [1, 2] and pd.isna(table["rank"].iloc[2])
    assert table["status"].tolist() == ["finished", "finished", "failed"]
    assert table["error"].tolist() == ["", "", "ValueError: no"]


def test_of_an_error_the_smallest_is_first() -> None:
    assert leaderboard(TRIALS, "log_loss")["trial"].tolist() == [1, 3, 2]


def test_the_search_metric_comes_before_the_others_and_parameters_are_readable() -> None:
    table = leaderboard(TRIALS, "roc_auc")
    assert list(table.columns) == [
        "rank", "trial", "candidate", "status", "roc_auc", "noise", "within_noise", "accuracy", "share", "duration_s",
        "predict_ms", "size_kb", "params", "error"
    ]  # fmt: skip
    assert table["params"].tolist() == ["max_depth=4, criterion=gini", "max_depth=2", ""]
    assert table["duration_s"].tolist() == [1.0, 0.123, 0.5]


def test_an_ensemble_stands_among_the_trials_with_its_members_and_without_a_number() -> None:
    members = (EnsembleMember(3, "tree", {"max_depth": 4}, 0.75), EnsembleMember(1, "tree", {"max_depth": 2}, 0.25))
    table = leaderboard([*TRIALS, Trial(3, "ensemble", 0.95, members=members)], "roc_auc")
    assert table["candidate"].tolist() == ["ensemble", "tree", "tree", "broken"]
    assert pd.isna(table["trial"].iloc[0])
    assert table["params"].iloc[0] == "0.750 × trial 3 (tree) + 0.250 × trial 1 (tree)"
    assert table["within_noise"].tolist() == [True, False, False, False]
