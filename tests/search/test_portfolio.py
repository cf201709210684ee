import pytest

from slipway.code import load_class
from slipway.compile._estimators import ESTIMATORS
from slipway.core.spec import Candidate
from slipway.core.tasks import Task
from slipway.search import portfolio


@pytest.mark.parametrize("effort", ["fast", "normal", "best"])
@pytest.mark.parametrize("task", list(Task))
@pytest.mark.parametrize("rows", [100, 5_000, 50_000, 5_000_000])
def test_every_candidate_is_valid_starts_somewhere_and_compiles(task, rows, effort):
    candidates = portfolio(task, rows, 20, effort)
    assert candidates
    for values in candidates.values():
        candidate = Candidate.model_validate(values)
        assert candidate.start
        made = load_class(str(candidate.estimator))
        assert made in ESTIMATORS
        assert {*candidate.params, *candidate.space} <= set(made().get_params())


def test_values_are_new_each_time():
    first = portfolio(Task.BINARY, 1000, 5, "normal")
    first["boosting"]["space"].clear()
    assert portfolio(Task.BINARY, 1000, 5, "normal")["boosting"]["space"]
