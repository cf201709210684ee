"""Trials as runs in MLflow: how a trial is written, and how it is read back."""

import json
from dataclasses import asdict
from typing import Any

from mlflow import MlflowClient
from mlflow.entities import Run

from slipway.core.choice import noise
from slipway.core.spec import Experiment
from slipway.core.trials import Trial
from slipway.tracking.runs import Finished, every_run

CONTINUES = "slipway.continues"
"""The tag of a search with the id of the search that it goes on from, and whose trials it reads."""
_KIND, _NUMBER, _PARAMS, _ERROR = "slipway.kind", "slipway.trial", "slipway.params", "slipway.error"
_RESAMPLES, _RUNGS, _MEMBERS = "slipway.resamples", "slipway.rungs", "slipway.members"
# Metrics of the run that measure the trial and not its answers.
_DURATION, _SHARE, _PREDICT, _SIZE = "duration_s", "share", "predict_ms", "size_bytes"


def parameters(experiment: Experiment, trial: Trial) -> dict[str, Any]:
    """Return the parameters of a trial, the fixed ones among them; of an ensemble, its members, as text, with their weights."""
    if trial.members:
        return {f"member_{each.trial}": f"{each.weight:.3f} {each.candidate}" for each in trial.members}
    return {**experiment.search.candidates[trial.candidate].params, **trial.params}


def trial_run(trial: Trial, experiment: Experiment) -> Finished:
    """Return the run of a trial: parameters under their names in the space, metrics, noise, duration, size, error.

    An ensemble gets a run of its own kind, since no search goes on from it.
    MLflow keeps parameters as text; the tag `slipway.params` holds them as they were.
    """
    metric = experiment.search.metric
    tags = {_KIND: "trial", _NUMBER: str(trial.number), _PARAMS: json.dumps(dict(trial.params))}
    if trial.members:
        tags = {_KIND: "ensemble", _MEMBERS: json.dumps([asdict(member) for member in trial.members])}
    if trial.error:
        tags[_ERROR] = trial.error
    if trial.warnings:
        tags["slipway.warnings"] = "\n".join(trial.warnings)
    if trial.resamples:
        tags[_RESAMPLES] = json.dumps([float(f"{score:.9g}") for score in trial.resamples])
    if trial.rungs:
        tags[_RUNGS] = json.dumps(trial.rungs)
    measured = {_DURATION: trial.duration_s, _PREDICT: trial.predict_ms, _SIZE: float(trial.size_bytes)}
    measured |= {_SHARE: trial.share} if experiment.search.halving else {}
    return Finished(
        name=trial.title if trial.members else f"trial {trial.number:03d} {trial.candidate}",
        status="FAILED" if trial.failed else "FINISHED",
        started_ms=trial.started_ms,
        ended_ms=trial.started_ms + int(trial.duration_s * 1000),
        params={"candidate": trial.candidate, **parameters(experiment, trial)},
        metrics={**trial.metrics, f"{metric}_noise": noise(trial), **measured},
        tags=tags,
    )


def trials_of(client: MlflowClient, parent: Run, metric: str) -> list[Trial]:
    """Return the trials of a search that ended, finished or failed, in order, each number once.

    The trials of the searches that it goes on from are among them.
    """
    by_number: dict[int, Trial] = {}
    for search in reversed([str(parent.info.run_id), *_continued(client, parent)]):
        below = f"tags.`mlflow.parentRunId` = '{search}' and tags.`{_KIND}` = 'trial'"
        children = every_run(client, [parent.info.experiment_id], below)
        ended = (_trial(run, metric) for run in children if run.info.status in ("FINISHED", "FAILED"))
        by_number |= {trial.number: trial for trial in ended}
    return [by_number[number] for number in sorted(by_number)]


def _continued(client: MlflowClient, search: Run) -> list[str]:
    """Return the searches that a search goes on from, the latest first; one whose run is gone ends the list."""
    found: list[str] = []
    while (before := search.data.tags.get(CONTINUES, "")).isalnum() and before not in found:
        found.append(before)
        search = next(iter(every_run(client, [search.info.experiment_id], f"attributes.run_id = '{before}'")), search)
    return found


def _trial(run: Run, metric: str) -> Trial:
    tags, metrics = run.data.tags, dict(run.data.metrics)
    metrics.pop(f"{metric}_noise", None)
    return Trial(
        number=int(tags[_NUMBER]),
        candidate=run.data.params["candidate"],
        score=metrics.get(metric) if run.info.status == "FINISHED" else None,
        params=json.loads(tags[_PARAMS]),
        duration_s=metrics.pop(_DURATION, 0.0),
        error=tags.get(_ERROR, ""),
        started_ms=int(run.info.start_time),
        share=metrics.pop(_SHARE, 1.0),
        rungs=tuple((share, score) for share, score in json.loads(tags.get(_RUNGS, "[]"))),
        resamples=tuple(json.loads(tags.get(_RESAMPLES, "[]"))),
        predict_ms=metrics.pop(_PREDICT, 0.0),
        size_bytes=int(metrics.pop(_SIZE, 0)),
        metrics=metrics,
    )
