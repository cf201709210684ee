"""How often the champion gate errs, on simulated pairs of models whose true difference is known.

Promised is: of pairs without a difference at most 5 % are called better; of pairs whose difference is twice the interval's half
width at least 80 %; of challengers that are worse by the whole margin at most 2.5 % pass, one end of a 95 % interval.
"""

from collections.abc import Callable, Iterator
from math import sqrt

import numpy as np
import pytest

from slipway.core.gates import Champion, Evidence, not_worse_than_champion
from slipway.core.spec import Experiment
from slipway.core.statistics.metrics import METRICS, Array, Outcome
from slipway.types import Verdict

PAIRS, ROWS, POPULATION = 200, 150, 50_000
FIELDS = {"minutes": ("double", True)}
TASKS = {"roc_auc": "binary", "log_loss": "binary", "accuracy": "binary", "mae": "regression", "rmse": "regression"}

Declare = Callable[..., Experiment]


def answers(task: str, skill: float, seed: int, rows: int = ROWS) -> tuple[Outcome, Outcome]:
    """A challenger and a champion on the same rows: a part of their errors is the same, and `skill` is what one has more."""
    rng = np.random.default_rng([seed, rows])
    common, own, others = rng.normal(size=(3, rows))
    make = classified if task == "binary" else predicted
    truth = (rng.random(rows) < 0.4).astype(float) if task == "binary" else rng.exponential(10, rows)
    return make(truth, common, own, skill), make(truth, common, others, 0.0)


def classified(truth: Array, common: Array, own: Array, skill: float) -> Outcome:
    scores = 1 / (1 + np.exp(-((1.5 + skill) * (truth - 0.5) + 0.7 * (common + own))))
    return Outcome(truth, (scores > 0.5).astype(float), scores, True)


def predicted(truth: Array, common: Array, own: Array, skill: float) -> Outcome:
    return Outcome(truth, truth + 2 * common + 3 * np.exp(-skill) * own)


def skill_for(metric: str, difference: float) -> float:
    """The skill by which the challenger is better by that much, on so many rows that chance hardly counts; by halving."""

    def value(skill: float) -> float:
        challenger, _ = answers(TASKS[metric], skill, seed=0, rows=POPULATION)
        return METRICS[metric].prepare(challenger)(np.ones(POPULATION))

    low, high, champion = -2.0, 2.0, value(0.0)
    for _ in range(12):
        middle = (low + high) / 2
        low, high = (middle, high) if METRICS[metric].better(value(middle), champion) < difference else (low, middle)
    return (low + high) / 2


def verdicts(experiment: Experiment, skill: float, first_seed: int) -> Iterator[Verdict]:
    """The gate's verdicts on 200 pairs."""
    for seed in range(first_seed, first_seed + PAIRS):
        challenger, champion = answers(experiment.task.value, skill, seed)
        of = Evidence(experiment, challenger, FIELDS, {}, {}, Champion(4, champion, FIELDS, {}), seed)
        yield not_worse_than_champion(of, of.differences())


def within(share: float) -> float:
    """A share, and the two standard errors by which 200 pairs may miss it."""
    return share + 2 * sqrt(share * (1 - share) / PAIRS)


def half_width(said: list[Verdict]) -> float:
    return float(np.mean([(v.numbers["high"] - v.numbers["low"]) / 2 for v in said]))


def is_better(said: Verdict) -> bool:
    return "is better by" in said.reason


def is_worse(said: Verdict) -> bool:
    return "is worse by" in said.reason


@pytest.fixture(params=TASKS)
def metric(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def compared_by(declare: Declare, metric: str) -> Callable[[float], Experiment]:
    """Return a function that makes an experiment whose champion gate goes by the metric, with a margin."""
    search = {**declare().as_dict()["search"], "metric": metric}
    if TASKS[metric] == "regression":
        search["candidates"] = {"ridge": {"estimator": "sklearn.linear_model.Ridge"}}

    def make(margin: float) -> Experiment:
        gates = {"not_worse_than_champion": {"margin": margin}}
        return declare(task=TASKS[metric], search=search, gates=gates)

    return make


@pytest.mark.slow
def test_the_champion_gate_errs_as_seldom_as_it_promises_and_sees_what_it_can_see(
    metric: str, compared_by: Callable[[float], Experiment]
) -> None:
    equal = list(verdicts(compared_by(0.0), 0.0, first_seed=0))
    assert sum(map(is_better, equal)) <= within(0.05) * PAIRS
    assert sum(map(is_worse, equal)) <= within(0.05) * PAIRS
    assert any(map(is_better, equal)) and any(map(is_worse, equal)), "an interval that never errs is too wide"

    twice = 2 * half_width(equal)
    stronger = list(verdicts(compared_by(0.0), skill_for(metric, twice), first_seed=1000))
    assert sum(map(is_better, stronger)) >= 0.8 * PAIRS

    weaker = list(verdicts(compared_by(twice), skill_for(metric, -twice), first_seed=2000))
    assert sum(v.passed for v in weaker) <= within(0.025) * PAIRS
