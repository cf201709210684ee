from typing import Any

import numpy as np
import pytest
from hyperopt import STATUS_OK, Trials, fmin, tpe
from hyperopt.pyll.stochastic import sample
from hypothesis import given
from hypothesis import strategies as st

from slipway.core.space import contains
from slipway.core.spec import Candidate
from slipway.search.tpe import hyperopt_space, plain_params

PLAIN = (bool, int, float, str, list, dict, type(None))
ends = st.floats(-1e9, 1e9)
option = st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=3) | st.lists(st.integers(0, 3), max_size=2)


def ordered(kind: str, values: st.SearchStrategy) -> st.SearchStrategy[dict[str, Any]]:
    return st.lists(values, min_size=2, max_size=2, unique=True).map(lambda pair: {kind: sorted(pair)})


distributions = st.one_of(
    ordered("uniform", ends),
    ordered("log_uniform", st.floats(1e-300, 1e300)),
    ordered("int", st.integers(-(2**53), 2**53)),
    ordered("int", st.integers(-3, 3)),
    st.lists(option, min_size=1, max_size=4, unique_by=repr).map(lambda options: {"choice": options}),
)
candidates = st.dictionaries(
    st.sampled_from(["forest", "ridge", "C"]),
    st.dictionaries(st.sampled_from(["C", "depth", "alpha"]), distributions, max_size=3),
    min_size=1,
)


def declared(spaces: dict[str, dict[str, Any]]) -> dict[str, Candidate]:
    return {name: Candidate.model_validate({"estimator": "a.B", "space": space}) for name, space in spaces.items()}


def lies_in_its_space(candidate: Candidate, params: dict[str, Any]) -> None:
    assert list(params) == list(candidate.space)
    for key, value in params.items():
        assert contains(candidate.space[key], value), (key, value, candidate.space[key])
        assert type(value) in PLAIN


@given(spaces=candidates, seed=st.integers(0, 2**32 - 1))
def test_what_is_drawn_lies_in_the_declared_space_and_is_plain_python(spaces: dict[str, Any], seed: int) -> None:
    known = declared(spaces)
    drawn = sample(hyperopt_space(known), np.random.default_rng(seed))
    candidate = known[drawn["candidate"]]
    lies_in_its_space(candidate, plain_params(candidate, drawn["params"]))


def test_what_tpe_proposes_once_it_learns_lies_in_the_declared_space_too() -> None:
    known = declared(
        {
            "forest": {"depth": {"int": [2, 9]}, "share": {"uniform": [0, 1]}, "kind": {"choice": ["a", None, [1, 2]]}},
            "ridge": {"alpha": {"log_uniform": [1e-3, 1e3]}},
        }
    )
    seen: list[tuple[str, dict[str, Any]]] = []

    def objective(drawn: dict[str, Any]) -> dict[str, Any]:
        params = plain_params(known[drawn["candidate"]], drawn["params"])
        seen.append((drawn["candidate"], params))
        return {"status": STATUS_OK, "loss": -params.get("depth", 0) - params.get("share", 0)}

    fmin(objective, hyperopt_space(known), algo=tpe.suggest, max_evals=45, trials=Trials(), show_progressbar=False,
         rstate=np.random.default_rng(3), verbose=False)  # fmt: skip
    for name, params in seen:
        lies_in_its_space(known[name], params)
    assert {name for name, _ in seen} == {"forest", "ridge"}
    late = [params["depth"] for name, params in seen[25:] if name == "forest"]
    assert len(late) > 12 and np.mean(late) > 6  # it went where the loss is low


@pytest.mark.parametrize(
    ("declared_as", "ends_drawn"), [({"int": [0, 1]}, {0, 1}), ({"int": [-2, 2]}, {-2, -1, 0, 1, 2})]
)
def test_both_ends_of_a_whole_range_are_drawn_and_about_as_often(
    declared_as: dict[str, Any], ends_drawn: set[int]
) -> None:
    known = declared({"it": {"n": declared_as}})
    space, rng = hyperopt_space(known), np.random.default_rng(0)
    values = [plain_params(known["it"], sample(space, rng)["params"])["n"] for _ in range(1000)]
    assert set(values) == ends_drawn
    assert min(values.count(value) for value in ends_drawn) > 1000 / len(ends_drawn) * 0.75


def test_two_candidates_may_have_a_parameter_of_the_same_name() -> None:
    known = declared({"one": {"C": {"uniform": [0, 1]}}, "other": {"C": {"uniform": [5, 6]}}})
    space, rng = hyperopt_space(known), np.random.default_rng(0)
    for _ in range(20):
        drawn = sample(space, rng)
        low = {"one": 0, "other": 5}[drawn["candidate"]]
        assert low <= plain_params(known[drawn["candidate"]], drawn["params"])["C"] <= low + 1


def test_a_candidate_without_a_space_is_drawn_without_parameters() -> None:
    known = declared({"it": {}})
    drawn = sample(hyperopt_space(known), np.random.default_rng(0))
    assert (drawn["candidate"], plain_params(known["it"], drawn["params"])) == ("it", {})
