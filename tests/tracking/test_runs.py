"""The description and the view that an experiment gets for MLflow's UI."""

import json
from types import SimpleNamespace
from typing import Any

import pytest

from slipway.tracking.runs import VIEW_KEY, View, describe_experiment, described, view_query

COLUMNS = ["metrics.`roc_auc`", "metrics.`roc_auc_noise`", "params.`candidate`", "attributes.`Models`"]
VIEW = View(f"{VIEW_KEY}roc_auc", "trials by roc_auc", COLUMNS, COLUMNS[0], False)


class Experiment:
    """A client of one experiment."""

    def __init__(self, **tags: str) -> None:
        self.tags = dict(tags)

    def get_experiment(self, _: str) -> Any:
        return SimpleNamespace(tags=dict(self.tags))

    def set_experiment_tag(self, _: str, key: str, value: str) -> None:
        self.tags[key] = value


@pytest.fixture
def experiment() -> Experiment:
    made = Experiment()
    describe_experiment(made, "7", "Say what is late [or not].", VIEW)  # type: ignore[arg-type]
    return made


def test_the_description_links_to_the_view_and_is_read_without_the_link(experiment: Experiment) -> None:
    note = experiment.tags["mlflow.note.content"]
    assert note.startswith(
        "Say what is late [or not]. [trials by roc_auc](#/experiments/7/runs?viewStateShareKey=slipway_roc_auc&"
    )
    assert described(experiment.tags) == "Say what is late [or not]."
    assert described({}) == ""
    assert view_query(experiment.tags) == "viewStateShareKey=slipway_roc_auc&"
    assert view_query({"mlflow.sharedViewState.abc": "of somebody"}) == ""


def test_the_view_orders_the_columns_so_that_metrics_come_before_the_model(experiment: Experiment) -> None:
    saved = json.loads(experiment.tags["mlflow.sharedViewState.slipway_roc_auc"])
    state = json.loads(saved["state"])
    assert state["columnOrder"][-4:] == state["selectedColumns"] == COLUMNS
    assert set(state["columnWidths"]) == set(COLUMNS[:2])


def test_a_description_and_a_view_that_are_there_are_kept() -> None:
    edited = Experiment(**{"mlflow.note.content": "mine", "mlflow.sharedViewState.slipway_roc_auc": "mine"})
    before = dict(edited.tags)
    describe_experiment(edited, "7", "goal", VIEW)  # type: ignore[arg-type]
    assert edited.tags == before
