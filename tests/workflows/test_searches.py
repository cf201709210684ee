import json
from collections.abc import Callable
from pathlib import Path

import pytest
from mlflow import MlflowClient

from slipway.core.spec import Experiment
from slipway.core.trials import Trial
from slipway.errors import UnknownName
from slipway.settings import Settings
from slipway.tracking.runs import ChildWrite
from slipway.tracking.trials import trial_run
from slipway.workflows.searches import leaderboard_of, searches

pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy:DeprecationWarning")


@pytest.fixture
def settings(store: MlflowClient, tmp_path: Path) -> Settings:
    return Settings(tmp_path, tmp_path / "home", tracking_uri=store.tracking_uri)


@pytest.fixture
def search(store: MlflowClient, declare: Callable[..., Experiment]) -> Callable[..., str]:
    """Return a function that makes a search with two trials, and returns its id."""

    def make(started_ms: int, **tags: str) -> str:
        experiment = store.get_experiment_by_name("small").experiment_id
        kind = {"slipway.kind": "search", "mlflow.user": "ann", **tags}
        run = str(store.create_run(experiment, start_time=started_ms, tags=kind).info.run_id)
        declared = declare()
        store.log_text(run, json.dumps(declared.as_dict()), "experiment.json")
        (name,) = declared.search.candidates
        for number, score in ((1, 0.6), (2, 0.8)):
            trial = Trial(
                number, name, score, {"C": 1.0}, metrics={declared.search.metric: score}, started_ms=started_ms
            )
            ChildWrite(store, experiment, run, trial_run(trial, declared))()
        return run

    return make


def test_the_newest_search_is_shown_by_its_trials_until_it_wrote_its_own_table(
    store: MlflowClient, settings: Settings, search: Callable[..., str]
) -> None:
    old, new = search(1_000), search(2_000)
    store.log_text(old, "rank,trial,candidate\n1,7,linear\n", "leaderboard.csv")
    board = leaderboard_of(settings, "small")
    assert board[["rank", "trial"]].values.tolist() == [[1, 2], [2, 1]]
    assert leaderboard_of(settings, "small", old[:8])["trial"].tolist() == [7]
    with pytest.raises(UnknownName, match="there is no search of small with the run 'fff'"):
        leaderboard_of(settings, "small", "fff")
    assert searches(settings, "small", "roc_auc")["run_id"].tolist() == [new, old]


def test_searches_are_a_table_with_their_versions_and_scores(
    store: MlflowClient, settings: Settings, search: Callable[..., str]
) -> None:
    run = search(1_000)
    store.log_metric(run, "test_roc_auc", 0.75)
    store.create_registered_model("small")
    store.create_model_version("small", "s3://models/1", run)
    (row,) = searches(settings, "small", "roc_auc").to_dict("records")
    assert (row["by"], row["version"], row["stage"], row["test_roc_auc"]) == ("ann", 1, "not in a stage yet", 0.75)


def test_an_experiment_without_a_search_has_an_empty_table_and_no_leaderboard(settings: Settings) -> None:
    assert len(searches(settings, "none", "roc_auc")) == 0
    with pytest.raises(UnknownName, match="there is no experiment with a search 'smal'; did you mean 'small'"):
        leaderboard_of(settings, "smal")
