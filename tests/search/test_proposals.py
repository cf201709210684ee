import numpy as np
import pytest
from hyperopt import STATUS_FAIL, STATUS_OK, Trials, fmin, tpe
from hypothesis import given, settings
from hypothesis import strategies as st

from slipway.core.space import contains
from slipway.core.spec import Candidate
from slipway.search.proposals import Proposer
from slipway.search.tpe import hyperopt_space, plain_params

CANDIDATES = {
    "boosting": Candidate.model_validate(
        {
            "estimator": "sklearn.ensemble.HistGradientBoostingClassifier",
            "space": {
                "max_iter": {"int": [5, 30]},
                "learning_rate": {"log_uniform": [0.01, 0.5]},
                "class_weight": {"choice": [None, "balanced"]},
            },
        }
    ),
    "logistic": Candidate.model_validate(
        {"estimator": "sklearn.linear_model.LogisticRegression", "space": {"C": {"uniform": [0, 2]}}}
    ),
    "dummy": Candidate.model_validate({"estimator": "sklearn.dummy.DummyClassifier"}),
}


def loss_of(candidate, params):
    if candidate == "dummy":
        return None
    return sum(float(value) for value in params.values() if isinstance(value, int | float))


def trials(count, seed, past=()):
    proposer, done = Proposer(CANDIDATES, seed), list(past)
    for candidate, params in past:
        proposer.remember(candidate, params, loss_of(candidate, params))
    while len(done) < count:
        asked = proposer.ask()
        done.append((asked.candidate, dict(asked.params)))
        proposer.tell(asked.number, loss_of(asked.candidate, asked.params))
    return done


def test_proposals_are_those_of_hyperopts_own_loop():
    seen = []

    def objective(drawn):
        params = plain_params(CANDIDATES[drawn["candidate"]], drawn["params"])
        loss = loss_of(drawn["candidate"], params)
        seen.append((drawn["candidate"], params))
        return {"status": STATUS_FAIL} if loss is None else {"status": STATUS_OK, "loss": loss}

    fmin(
        objective,
        hyperopt_space(CANDIDATES),
        algo=tpe.suggest,
        trials=Trials(),
        max_evals=40,
        rstate=np.random.default_rng(5),
        show_progressbar=False,
        verbose=False,
    )
    assert trials(40, seed=5) == seen


@pytest.mark.parametrize("cut", [0, 1, 7, 30])
def test_a_study_that_was_cut_off_goes_on_as_if_it_had_not_been(cut):
    whole = trials(40, seed=3)
    assert trials(40, seed=3, past=whole[:cut]) == whole


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_every_proposal_lies_in_its_space_whatever_the_seed(seed):
    for candidate, params in trials(30, seed):
        space = CANDIDATES[candidate].space
        assert set(params) == set(space)
        assert all(contains(space[key], value) for key, value in params.items())


def test_many_proposals_may_be_out_at_a_time_and_be_told_in_any_order():
    proposer = Proposer(CANDIDATES, 1)
    out = [proposer.ask() for _ in range(12)]
    assert len({proposal.number for proposal in out}) == 12
    for proposal in reversed(out):
        proposer.tell(proposal.number, loss_of(proposal.candidate, proposal.params))
    assert proposer.ask().number == 13


STARTING = {
    "many": Candidate.model_validate(
        {
            "estimator": "sklearn.linear_model.LogisticRegression",
            "space": {"C": {"log_uniform": [0.01, 10]}, "penalty": {"choice": ["l1", "l2"]}},
            "start": [{"C": 1.0, "penalty": "l2"}, {"C": 0.1, "penalty": "l1"}],
        }
    ),
    "one": Candidate.model_validate(
        {"estimator": "sklearn.linear_model.Ridge", "space": {"alpha": {"uniform": [0, 2]}}, "start": [{"alpha": 1}]}
    ),
}


def asked(proposer, count):
    seen = []
    for _ in range(count):
        proposal = proposer.ask()
        proposer.tell(proposal.number, float(next(iter(proposal.params.values()))))
        seen.append((proposal.candidate, dict(proposal.params)))
    return seen


def test_the_points_to_start_with_come_first_each_candidate_in_turn():
    first = asked(Proposer(STARTING, seed=1), 30)
    assert first[:3] == [
        ("many", {"C": 1.0, "penalty": "l2"}),
        ("one", {"alpha": 1}),
        ("many", {"C": 0.1, "penalty": "l1"}),
    ]
    assert {name for name, _ in first[3:]} == {"many", "one"}


def test_a_search_that_goes_on_does_not_start_again_and_proposes_as_a_whole_one():
    whole = asked(Proposer(STARTING, seed=1), 30)
    for cut in (2, 25):
        again = Proposer(STARTING, seed=1)
        for candidate, params in whole[:cut]:
            again.remember(candidate, params, float(next(iter(params.values()))))
        assert asked(again, 30 - cut) == whole[cut:]
