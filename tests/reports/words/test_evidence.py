"""Evidence in words: no key of a number is shown to people."""

import pytest

from slipway.reports.words.evidence import numbers_in_words
from slipway.types import Verdict


@pytest.mark.parametrize(
    ("gate", "numbers", "words"),
    [
        (
            "beats_baseline",
            {"over_carrier_rule": 0.0534, "over_carrier_rule_low": 0.012},
            [("better than the baseline carrier rule by", "0.0534, at least 0.0120 (lower end of the interval)")],
        ),
        (
            "beats_baseline",
            {"over_prior": 0.4597, "over_prior_low": 0.4492, "over_prior_high": 0.4694, "rows": 1000.0},
            [("better than the baseline prior by", "0.4597 (0.4492 to 0.4694)")],
        ),
        ("thresholds", {"roc_auc": 0.79, "roc_auc_bound": 0.6}, [("roc_auc", "0.7900, asked is at least 0.6000")]),
        ("thresholds", {"log_loss": 0.4, "log_loss_bound": 1.0}, [("log_loss", "0.4000, asked is at most 1")]),
        (
            "not_worse_than_champion",
            {"roc_auc": 0.9597, "champion_roc_auc": 0.8225},
            [("roc_auc", "0.9597"), ("roc_auc of the version in Production", "0.8225")],
        ),
        ("policy", {"weakened": 0.0, "replaced": 0.0, "unmet": 0.0, "needed": 1.0}, []),
        (
            "policy",
            {"weakened": 2.0, "replaced": 0.0, "unmet": 0.0, "needed": 1.0},
            [("demands weaker than in Production", "2"), ("approvals needed", "1")],
        ),
        (
            "not_worse_than_champion",
            {"difference": 0.012, "low": 0.004, "high": 0.02, "unseen": 31},
            [
                ("better than the version in Production by", "0.0120 (0.0040 to 0.0200)"),
                ("rows that the version in Production does not know", "31"),
            ],
        ),
        ("latency", {"p99_ms": 4.2, "p99_ms_bound": 50.0}, [("99th percentile", "4.2000 ms, allowed up to 50 ms")]),
        ("my_own", {"my_number": 1.0, "overridden": 1.0}, [("my number", "1")]),
    ],
)
def test_numbers_have_words_and_a_difference_its_interval(
    gate: str, numbers: dict[str, float], words: list[tuple[str, str]]
) -> None:
    assert numbers_in_words(Verdict(gate, True, "", numbers)) == words
