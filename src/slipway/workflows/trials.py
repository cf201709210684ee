"""A trial as a run in MLflow: how it is written, how it is read back."""

import json

from mlflow import MlflowClient
from mlflow.entities import Run

from slipway.core.spec import Experiment
from slipway.core.trials import Trial
from slipway.tracking.runs import Finished, every_run

_KIND, _NUMBER, _PARAMS, _ERROR = "slipway.kind", "slipway.trial", "slipway.params", "slipway.error"


def trial_run(trial: Trial, experiment: Experiment) -> Finished:
    """Return the run of a trial: parameters under their names in the space, metrics, duration, error.

    MLflow keeps parameters as text; the tag `slipway.params` holds them as they were.
    """
    fixed = experiment.search.candidates[trial.candidate].params
    tags = {_KIND: "trial", _NUMBER: str(trial.number), _PARAMS: json.dumps(dict(trial.params))}
    if trial.error:
        tags[_ERROR] = trial.error
    if trial.warnings:
        tags["slipway.warnings"] = "\n".join(trial.warnings)
    return Finished(
        name=f"trial {trial.number:03d} {trial.candidate}",
        status="FAILED" if trial.failed else "FINISHED",
        started_ms=trial.started_ms,
        ended_ms=trial.started_ms + int(trial.duration_s * 1000),
        params={"candidate": trial.candidate, **fixed, **trial.params},
        metrics={**trial.metrics, "duration_s": trial.duration_s},
        tags=tags,
    )


def trials_of(client: MlflowClient, parent: Run, metric: str) -> list[Trial]:
    """Return the trials of a search that ended, finished or failed, in order, each number once."""
    below = f"tags.`mlflow.parentRunId` = '{parent.info.run_id}' and tags.`{_KIND}` = 'trial'"
    children = every_run(client, [parent.info.experiment_id], below)
    ended = (_trial(run, metric) for run in children if run.info.status in ("FINISHED", "FAILED"))
    by_number = {trial.number: trial for trial in ended}
    return [by_number[number] for number in sorted(by_number)]


def _trial(run: Run, metric: str) -> Trial:
    tags, metrics = run.data.tags, dict(run.data.metrics)
    duration_s = metrics.pop("duration_s", 0.0)
    return Trial(
        number=int(tags[_NUMBER]),
        candidate=run.data.params["candidate"],
        score=metrics.get(metric) if run.info.status == "FINISHED" else None,
        params=json.loads(tags[_PARAMS]),
        duration_s=duration_s,
        error=tags.get(_ERROR, ""),
        metrics=metrics,
        started_ms=int(run.info.start_time),
    )
