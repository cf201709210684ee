"""The searches of an experiment in MLflow, and the leaderboard of one of them."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
from mlflow import MlflowClient
from mlflow.entities import Run
from mlflow.exceptions import MlflowException

from slipway.errors import UnknownName
from slipway.registry.absent import is_absent
from slipway.registry.artifacts.models import recorded_experiment, temporary_folder
from slipway.registry.ledger import LEDGER_SUFFIX
from slipway.registry.versions import list_versions
from slipway.search import leaderboard
from slipway.settings import Settings
from slipway.tracking.runs import every_run
from slipway.tracking.trials import trials_of
from slipway.workflows.session import open_client

_SEARCHES = "tags.`slipway.kind` = 'search'"
_COLUMNS = ("run_id", "started", "status", "by", "version", "stage", "candidate", "trials")


def searches(settings: Settings, name: str, metric: str) -> pd.DataFrame:
    """Return a table of an experiment's searches, newest first, each with its version and its test score.

    metric: the metric whose score on the test rows is shown.
    """
    client = open_client(settings)
    versions = {version.run_id: version for version in list_versions(client, name)}
    rows = [_row(run, versions.get(run.info.run_id), f"test_{metric}") for run in _searches(client, name)]
    table = pd.DataFrame(rows, columns=[*_COLUMNS, f"test_{metric}"])
    return table.astype({"version": "Int64", "trials": "Int64"})


def leaderboard_of(settings: Settings, name: str, run_id: str | None = None) -> pd.DataFrame:
    """Return the table of a search's trials, best first, as the search wrote it; of one that did not end, by its trials so far.

    run_id: the id of the search, or the start of it; None for the newest.

    Raises UnknownName where there is no such search.
    """
    client = open_client(settings)
    run = _search(client, name, run_id)
    with temporary_folder() as made:
        try:
            return pd.read_csv(client.download_artifacts(run.info.run_id, "leaderboard.csv", made))
        except MlflowException as error:
            if not is_absent(error):
                raise
        except FileNotFoundError:
            pass  # a store in files or in a bucket has no such file
        metric = recorded_experiment(client, run.info.run_id, Path(made)).search.metric
    return leaderboard(trials_of(client, run, metric), metric)


def _searches(client: MlflowClient, name: str) -> list[Run]:
    experiment = client.get_experiment_by_name(name)
    return list(every_run(client, [experiment.experiment_id], _SEARCHES)) if experiment else []


def _search(client: MlflowClient, name: str, run_id: str | None) -> Run:
    found = _searches(client, name)
    if not found:
        known = [each.name for each in client.search_experiments() if not each.name.endswith(LEDGER_SUFFIX)]
        raise UnknownName("experiment with a search", name, known, f"Train it with `slipway run {name}`")
    matching = [run for run in found if str(run.info.run_id).startswith(run_id or "")]
    if not matching:
        raise UnknownName(f"search of {name} with the run", run_id, [run.info.run_id for run in found])
    return matching[0]


def _row(run: Run, version: Any, metric: str) -> dict[str, Any]:
    tags, metrics = run.data.tags, run.data.metrics
    return {
        "run_id": run.info.run_id,
        "started": datetime.fromtimestamp(run.info.start_time / 1000, UTC),
        "status": run.info.status.lower(),
        "by": tags.get("mlflow.user", ""),
        "version": version.number if version else None,
        "stage": version.stage.words if version else "",
        "candidate": run.data.params.get("candidate", ""),
        "trials": metrics.get("trials"),
        metric: metrics.get(metric),
    }
