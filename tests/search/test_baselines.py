from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.core.spec import Experiment
from slipway.core.statistics.metrics import Outcome, measure
from slipway.core.tasks import Task
from slipway.errors import CodeInvalid
from slipway.search import fit_baselines

Declare = Callable[..., Experiment]
TRAIN = pd.DataFrame({"late": [0, 0, 0, 1], "minutes": [1.0, 2.0, 3.0, 9.0], "port": ["A", "A", "B", "B"]})
ROWS, TRUTH = TRAIN[["minutes", "port"]], TRAIN["late"]


def regression(declare: Declare, **sections) -> Experiment:
    return declare(task="regression", search={**declare().as_dict()["search"], "metric": "rmse"}, **sections)


def ruled(declare: Declare, folder: Path, body: str, task: Task = Task.BINARY, classes: tuple = (0, 1)) -> Outcome:
    """What the experiment's own rule, whose body is given, answers for the training rows."""
    (folder / "features.py").write_text(f"import numpy as np\ndef rule(train, rows):\n    return {body}\n")
    rule = {"baseline": {"rule": "features:rule"}}
    experiment = declare(**rule) if task is Task.BINARY else regression(declare, **rule)
    _, own = fit_baselines(folder, experiment, TRAIN, classes)
    assert own.name == "rule"
    return own.predict(ROWS, TRUTH)


@given(st.lists(st.integers(0, 1), min_size=2, max_size=30))
def test_the_prior_answers_the_share_of_the_positive_class_in_what_it_learned_from(
    declare: Declare, target: list[int]
) -> None:
    (prior,) = fit_baselines(Path(), declare(), pd.DataFrame({"late": target}), (0, 1))
    outcome = prior.predict(ROWS, TRUTH)
    assert prior.name == "prior" and outcome.probabilistic
    assert outcome.scores == pytest.approx(np.full(4, np.mean(target)))
    assert outcome.predicted.tolist() == [float(np.mean(target) > 0.5)] * 4
    assert measure(Task.BINARY, outcome)["roc_auc"] == 0.5


def test_the_prior_follows_the_order_of_the_classes(declare: Declare) -> None:
    (prior,) = fit_baselines(Path(), declare(), TRAIN, (1, 0))
    assert prior.predict(ROWS, TRUTH).scores.tolist() == [0.75] * 4


def test_the_prior_of_several_classes_is_a_share_each(declare: Declare) -> None:
    train = pd.DataFrame({"late": ["a", "b", "b", "c"]})
    experiment = declare(task="multiclass", data=declare().as_dict()["data"])
    (prior,) = fit_baselines(Path(), experiment, train, ("a", "b", "c"))
    outcome = prior.predict(ROWS, pd.Series(["a", "b", "c", "a"]))
    assert outcome.scores.tolist() == [[0.25, 0.5, 0.25]] * 4
    assert measure(Task.MULTICLASS, outcome)["accuracy"] == 0.25


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=20))
def test_a_regression_is_answered_with_the_mean(declare: Declare, target: list[float]) -> None:
    (mean,) = fit_baselines(Path(), regression(declare), pd.DataFrame({"late": target}), ())
    outcome = mean.predict(ROWS, TRUTH)
    assert mean.name == "mean" and outcome.scores is None
    assert outcome.predicted == pytest.approx(np.full(4, np.mean(target)), abs=1e-6)


def test_a_rule_may_answer_probabilities(declare: Declare, tmp_path: Path) -> None:
    outcome = ruled(declare, tmp_path, "rows['minutes'] / train['minutes'].max()")
    assert outcome.probabilistic and outcome.predicted.tolist() == [0, 0, 0, 1]
    assert measure(Task.BINARY, outcome)["roc_auc"] == 1.0


def test_a_rule_may_answer_labels_which_rank_as_0_and_1(declare: Declare, tmp_path: Path) -> None:
    outcome = ruled(declare, tmp_path, "[0, 1, 0, 1]")
    assert not outcome.probabilistic and outcome.scores.tolist() == outcome.predicted.tolist() == [0, 1, 0, 1]


def test_a_rule_may_answer_values(declare: Declare, tmp_path: Path) -> None:
    assert ruled(declare, tmp_path, "[1, 2.5, 3, 4]", Task.REGRESSION, ()).predicted.tolist() == [1, 2.5, 3, 4]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("1 / 0", "failed: ZeroDivisionError"),
        ("rows['late']", "failed: KeyError"),  # the truth is not shown to a rule
        ("[0.5]", "4 rows were given, 1 came back"),
        ("None", "4 rows were given, 1 came back"),
        ("[0.5, 0.5, 0.5, 1.5]", "probabilities from 0 to 1"),
        ("[0.5, 0.5, 0.5, np.nan]", "probabilities from 0 to 1"),
        ("[0, 1, 2, 1]", "answered something that is not a class"),
        ("['yes'] * 4", "answered something that is not a class"),
    ],
)
def test_a_rule_that_answers_no_class_or_probability_for_each_row_is_told_by_its_name(
    declare: Declare, tmp_path: Path, body: str, said: str
) -> None:
    with pytest.raises(CodeInvalid, match=f"the baseline features:rule .*{said}"):
        ruled(declare, tmp_path, body)


@pytest.mark.parametrize("body", ["['much'] * 4", "[np.inf] * 4", "[None] * 4"])
def test_a_rule_that_answers_no_finite_numbers_in_a_regression_is_told_by_its_name(
    declare: Declare, tmp_path: Path, body: str
) -> None:
    with pytest.raises(CodeInvalid, match="features:rule answered something that is not a finite number"):
        ruled(declare, tmp_path, body, Task.REGRESSION, ())
