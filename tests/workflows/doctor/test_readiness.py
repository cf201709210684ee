"""The questions of readiness, answered for a small experiment."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from slipway.core.spec import Experiment
from slipway.settings import Settings
from slipway.workflows.doctor.findings import Level
from slipway.workflows.doctor.readiness import ready

SEARCH = {"metric": "roc_auc", "candidates": {"lr": {"estimator": "sklearn.linear_model.LogisticRegression"}}}
DATA = "Is the data reachable, in one place, and under contract?"


@pytest.fixture
def settings(tmp_path: Path, declare: Callable[..., Experiment]) -> Callable[..., Settings]:
    """Return a function that writes the experiment `small` and its rows, and gives the settings of its project."""

    def write(rows: int = 200, **sections: Any) -> Settings:
        folder = tmp_path / "experiments" / "small"
        folder.mkdir(parents=True)
        (folder / "experiment.yaml").write_text(
            json.dumps(declare(**{"search": SEARCH, **sections}).model_dump(mode="json", exclude_unset=True))
        )
        lines = [f"{i % 60 + 1}.5,{'ab'[i % 2]},{int(i * 7 % 10 > 4)}" for i in range(rows)]
        (folder / "rows.csv").write_text("\n".join(["minutes,port,late", *lines]))
        return Settings(tmp_path, tmp_path / "home")

    return write


def test_each_question_has_an_answer_and_says_what_to_do_next(settings: Callable[..., Settings]) -> None:
    found = ready(settings(), "small")
    asked = {each.subject: each for each in found.findings}
    assert not found.passed and asked["tracking server"].level is Level.FAULT
    assert asked["Is there a classical solution to beat?"].found == "none but the class prior"
    assert "200 rows of rows.csv keep the contract of 3 columns" in asked[DATA].found
    assert all(each.todo for each in found.findings if each.level is not Level.OK)
    assert "no server is there to release it on" in str(found)
    assert found.as_dict()["findings"][0]["level"] == "warning"


def test_data_that_cannot_be_used_make_it_unready_for_anything(settings: Callable[..., Settings]) -> None:
    found = ready(settings(rows=0), "small")
    assert "not ready for a proof of concept" in str(found) and "`slipway check small`" in str(found)


def test_what_the_next_maturity_needs_is_named(settings: Callable[..., Settings]) -> None:
    scope = {"goal": "Say it.", "owner": "us@example.com"}
    found = ready(settings(scope=scope, gates={"thresholds": {"roc_auc": 0.6}}), "small")
    assert "small declares enough for maturity poc; mvp needs scope.decision, sla.p99_ms too" in str(found)


def test_a_goal_that_is_still_to_do_and_a_missing_decision_are_doubts(settings: Callable[..., Settings]) -> None:
    scope = {"goal": "TODO: say in one sentence what is predicted", "owner": "us@example.com"}
    goal, people = ready(settings(scope=scope, gates={"thresholds": {"roc_auc": 0.6}}), "small").findings[:2]
    assert goal.level is Level.WARNING and goal.found == "nobody has written it down yet"
    assert (people.found, people.todo) == ("no decision", "declare `scope.decision`: maturity mvp asks for it")
