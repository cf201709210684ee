"""`slipway run`: from an experiment's declaration to a registered version.

data → baselines → search → evaluation on the test rows → model → version. Everything that can be wrong with the experiment or
its data is found before the first run is opened.
"""

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from mlflow import MlflowClient

from slipway.core.metrics import METRICS
from slipway.core.spec import Search
from slipway.core.trials import Trial
from slipway.progress import bar, note, step
from slipway.registry.models import log_model
from slipway.search import (
    Baseline,
    Budget,
    Question,
    best_of,
    build_pipeline,
    fit_baselines,
    leaderboard,
    score_baselines,
    search,
)
from slipway.search.executors import make_executor
from slipway.settings import Settings
from slipway.tracking.client import connect
from slipway.tracking.lineage import code_digest, file_digest, git_state
from slipway.tracking.liveness import close_dead
from slipway.tracking.runs import (
    ChildWrite,
    Finished,
    Part,
    View,
    describe_experiment,
    experiment_id,
    log_inputs,
    open_run,
    write,
)
from slipway.tracking.writer import Writer
from slipway.workflows.evaluation import Evaluated, evaluate, log_evaluation
from slipway.workflows.platform import resolve_tracking_uri
from slipway.workflows.preparation import Prepared, check_code, prepare
from slipway.workflows.project import Declared, declared, travelling_code
from slipway.workflows.register import Registered, register_run
from slipway.workflows.resume import STUDY, Past, offer, past_of
from slipway.workflows.trials import trial_run


@dataclass(frozen=True)
class RunResult:
    """What a run ended with."""

    registered: Registered
    run_id: str
    winner: Trial
    evaluated: Evaluated
    trials: int
    failed: int
    url: str
    trials_url: str

    def as_dict(self) -> dict[str, Any]:
        return {
            **self.registered.as_dict(),
            "run_id": self.run_id,
            "candidate": self.winner.candidate,
            "params": dict(self.winner.params),
            "trials": self.trials,
            "failed_trials": self.failed,
            "test": {
                name: {"value": i.value, "low": i.low, "high": i.high} for name, i in self.evaluated.intervals.items()
            },
            "baselines": {name: dict(values) for name, values in self.evaluated.baselines.items()},
            "url": self.url,
            "trials_url": self.trials_url,
        }

    def __str__(self) -> str:
        metric = self.evaluated.metric
        params = ", ".join(f"{key}={_short(value)}" for key, value in self.winner.params.items())
        baselines = ", ".join(
            f"{name} {values[metric]:.4f}" for name, values in self.evaluated.baselines.items() if metric in values
        )
        return (
            f"{self.registered}\n"
            f"  winner      {self.winner.candidate} ({params}), trial {self.winner.number} of {self.trials}\n"
            f"  test        {metric} {self.evaluated.intervals[metric]} on {self.evaluated.rows:,} rows\n"
            f"  baselines   {baselines}\n"
            f"  run         {self.url}\n"
            f"  trials      {self.trials_url}"
        )


def run(settings: Settings, name: str, *, resume: bool = False, **given: Any) -> RunResult:
    """Search, evaluate the winner, register it as a version (stage None).

    given: trials, timeout_s, seed, executor, workers, in place of what the experiment declares; None counts as not given.
    resume: take up the newest search of the same study; its trials count. Raises SlipwayError of every kind.
    """
    spec = _with_search(declared(settings, name), given)
    check_code(spec)
    tracking_uri = resolve_tracking_uri(settings)  # before the data are read, which may take minutes
    with step("data: read, contract, split"):
        prepared = prepare(spec)
    client = connect(tracking_uri)
    experiment = experiment_id(client, name)
    view = _best_first(spec.experiment.search.metric)
    describe_experiment(client, experiment, spec.experiment.scope.goal, view)
    close_dead(client, [experiment])
    past = past_of(client, experiment, spec, prepared) if resume else Past()
    if not resume and (offered := offer(client, experiment, spec, prepared)):
        note(offered)
    tags = _lineage(settings, spec, prepared, past)
    with open_run(client, experiment, "search", tags, settings.mlflow_run_id, past.run_id) as run_id:
        baselines = fit_baselines(spec.folder, spec.experiment, prepared.splits.development, prepared.classes)
        question = Question(
            spec.folder, spec.experiment, prepared.classes, prepared.splits.development, prepared.splits.folds
        )
        if past.run_id is None:
            _log_what_is_searched(client, run_id, spec, prepared)
            _log_baselines(client, experiment, run_id, question)
        found = _run_search(client, experiment, run_id, spec, question, past)
        winner = best_of(found, spec.experiment.search.metric)
        evaluated = _refit_and_evaluate(client, run_id, spec, prepared, baselines, found, winner)
        with step("model: store"):
            example = _example(spec, prepared)
            trusted = (*spec.experiment.search.trusted_types, *settings.trusted_types)
            log_model(
                run_id,
                evaluated.pipeline,
                spec.experiment,
                example,
                code=travelling_code(spec, winner),
                trusted=trusted,
            )
    with step("registry: new version"):
        registered = register_run(client, name, run_id)
    failed = sum(trial.failed for trial in found)
    pages = [_url(client, experiment, page) for page in (f"/{run_id}?", f"?viewStateShareKey={view.key}&")]
    return RunResult(registered, run_id, winner, evaluated, len(found), failed, *pages)


def _with_search(spec: Declared, given: Mapping[str, Any]) -> Declared:
    changes = {key: value for key, value in given.items() if value is not None}
    search = Search.model_validate({**dict(spec.experiment.search), **changes})
    return Declared(spec.folder, spec.text, spec.experiment.model_copy(update={"search": search}))


def _lineage(settings: Settings, spec: Declared, prepared: Prepared, past: Past) -> dict[str, str]:
    lock = file_digest(settings.project / "requirements.lock")
    return {
        "mlflow.user": settings.user,
        "mlflow.source.name": f"experiments/{spec.name}",
        "mlflow.source.type": "LOCAL",
        "slipway.kind": "search",
        "slipway.experiment": spec.name,
        "slipway.spec_digest": spec.experiment.digest,
        "slipway.data_digest": prepared.digests["all"],
        "slipway.code_digest": code_digest(spec.folder),
        STUDY: spec.experiment.study_digest,
        **({"slipway.lock_digest": lock} if lock else {}),
        **({"slipway.continues": past.continues} if past.continues else {}),
        **git_state(settings.project),
    }


def _log_what_is_searched(client: MlflowClient, run_id: str, spec: Declared, prepared: Prepared) -> None:
    client.log_text(run_id, spec.text, "experiment.yaml")
    client.log_dict(run_id, spec.experiment.as_dict(), "experiment.json")
    source = spec.experiment.data.source
    where = f"experiments/{spec.name}/{source.function or source.csv or source.parquet}"
    columns = {name: column.type.value for name, column in spec.experiment.data.columns.items()}
    parts = [
        Part({"train": "training"}.get(part, part), prepared.digests[part], len(rows), columns, where)
        for part, rows in prepared.splits.parts().items()
    ]
    log_inputs(client, run_id, spec.name, parts)


def _log_baselines(client: MlflowClient, experiment: str, parent: str, question: Question) -> None:
    """Score the baselines as trials are scored, as runs of their own, before anything is searched."""
    with step("baselines"):
        for scored in score_baselines(question):
            tags = {"slipway.kind": "baseline"}
            params = {"candidate": f"baseline: {scored.name}"}
            ended_ms = scored.started_ms + int(scored.duration_s * 1000)
            name = f"baseline {scored.name}"
            finished = Finished(name, "FINISHED", scored.started_ms, ended_ms, params, scored.metrics, tags)
            ChildWrite(client, experiment, parent, finished)()


def _run_search(
    client: MlflowClient, experiment: str, parent: str, spec: Declared, question: Question, past: Past
) -> list[Trial]:
    wanted = spec.experiment.search
    said = f", {len(past.trials)} of them before" if past.trials else ""
    with (
        step(f"search: {wanted.trials} trials{said} of {len(wanted.candidates)} candidates"),
        bar(wanted.trials, "search") as shown,
        Writer() as writer,
        closing(make_executor(question)) as executor,
    ):
        best = [trial for trial in past.trials if not trial.failed]
        shown.update(len(past.trials))

        def on_trial(trial: Trial) -> None:
            writer.put(ChildWrite(client, experiment, parent, trial_run(trial, spec.experiment)))
            best[:] = [best_of([*best, trial], wanted.metric)]
            shown.update()
            shown.set_postfix_str(f"best {wanted.metric} {best[0].score:.4f}" if best[0].score else "none finished yet")

        budget = Budget(wanted.trials, wanted.timeout_s, wanted.patience)
        trials = search(spec.experiment, executor, budget, on_trial, past.trials)
    client.set_tag(parent, "slipway.tracking_s", f"{writer.busy_s:.3f}")
    table = leaderboard(trials, wanted.metric)
    client.log_text(parent, table.to_csv(index=False), "leaderboard.csv")
    client.log_table(parent, table.astype(object).where(table.notna(), None), "leaderboard.json")
    return trials


def _refit_and_evaluate(
    client: MlflowClient,
    run_id: str,
    spec: Declared,
    prepared: Prepared,
    baselines: list[Baseline],
    trials: list[Trial],
    winner: Trial,
) -> Evaluated:
    """Fit the winner anew on training and validation rows, and look at the test rows for the first and only time."""
    with step(f"evaluate: {winner.candidate} on {len(prepared.splits.test):,} test rows"):
        pipeline = build_pipeline(spec.folder, spec.experiment, winner.candidate, winner.params)
        pipeline.fit(*_inputs(spec, prepared.splits.development))
        evaluated = evaluate(pipeline, spec, prepared, baselines)
        log_evaluation(client, run_id, spec, prepared, evaluated, trials, winner)
    fixed = spec.experiment.search.candidates[winner.candidate].params
    validation = {f"validation_{name}": value for name, value in winner.metrics.items()}
    counts = {"trials": float(len(trials)), "failed_trials": float(sum(trial.failed for trial in trials))}
    params = {"candidate": winner.candidate, **fixed, **winner.params}
    write(client, run_id, params, {**validation, **evaluated.metrics(), **counts})
    return evaluated


def _inputs(spec: Declared, rows: Any) -> tuple[Any, Any]:
    return rows[list(spec.experiment.data.features)], rows[spec.experiment.data.target]


def _example(spec: Declared, prepared: Prepared) -> Any:
    """Three test rows without missing values, if there are such, since JSON has no NaN."""
    rows = prepared.splits.test[list(spec.experiment.data.features)]
    whole = rows.dropna()
    rows = rows if whole.empty else whole
    return rows.sample(min(3, len(rows)), random_state=spec.experiment.search.seed)


def _best_first(metric: str) -> View:
    """The trials and baselines of all searches, best first: by itself MLflow's UI shows no metric at all."""
    columns = ["params.`candidate`", *(f"metrics.`{name}`" for name in (metric, f"test_{metric}"))]
    ascending = not METRICS[metric].greater_is_better
    name = f"trials by {metric}"
    return View(f"slipway_{metric}", name, [*columns, "attributes.`Models`"], f"metrics.`{metric}`", ascending)


def _url(client: MlflowClient, experiment: str, page: str) -> str:
    """A page of the experiment's runs in MLflow's UI, which starts with language models unless it is told otherwise."""
    uri = str(client.tracking_uri)
    within = f"experiments/{experiment}/runs{page}workflowType=machine_learning"
    return f"{uri}/#/{within}" if uri.startswith("http") else f"{uri} ({within})"


def _short(value: Any) -> Any:
    return f"{value:.4g}" if isinstance(value, float) else value
