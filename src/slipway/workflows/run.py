"""`slipway run`: from an experiment's declaration to a registered version.

data → baselines → search → evaluation on the test rows → model → version. Everything that can be wrong with the experiment or
its data is found before the first run is opened.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from mlflow import MlflowClient
from pydantic import ValidationError

from slipway.core.choice import contenders
from slipway.core.spec import Search
from slipway.core.statistics.calibration import calibration, miscalibrated
from slipway.core.statistics.disagreement import answers_digest
from slipway.core.statistics.metrics import named
from slipway.core.trials import Trial
from slipway.errors import UsageError
from slipway.progress import note, step
from slipway.registry.artifacts.contract import contract_of
from slipway.registry.artifacts.models import log_model
from slipway.registry.remote import about
from slipway.registry.trust import ANSWERS
from slipway.reports.drawing import Drawing
from slipway.search import FittedBaseline, fit_baselines
from slipway.search.executors import check_executor
from slipway.settings import Settings
from slipway.tracking.client import connect, runs_page
from slipway.tracking.lineage import code_digest, file_digest, git_state
from slipway.tracking.liveness import close_dead
from slipway.tracking.runs import VIEW_KEY, View, describe_experiment, experiment_id, open_run, write
from slipway.tracking.trials import CONTINUES, parameters
from slipway.workflows.project import Declared, declared, travelling_code
from slipway.workflows.release.register import Registered, register_run
from slipway.workflows.session import resolve_tracking_uri
from slipway.workflows.training.analysis import find
from slipway.workflows.training.evaluate import Evaluated, evaluate
from slipway.workflows.training.prepare import Prepared, check_code, prepare, question_of
from slipway.workflows.training.rehearsal import rehearse
from slipway.workflows.training.resume import STUDY, Past, offer, past_of
from slipway.workflows.training.run_artifacts import log_gate_code, log_run_artifacts, order_figures, rows_tested
from slipway.workflows.training.search_run import Searched, log_baselines, log_what_is_searched, run_search
from slipway.workflows.training.winner import Winner, fit_chosen


@dataclass(frozen=True)
class RunResult:
    """The result of a run: the registered version, the winner, and what was measured of it."""

    registered: Registered
    run_id: str
    winner: Trial
    evaluated: Evaluated
    trials: int
    failed: int
    url: str
    trials_url: str
    warning: str = ""

    def as_dict(self) -> dict[str, Any]:
        return {
            **self.registered.as_dict(),
            "run_id": self.run_id,
            "candidate": self.winner.candidate,
            "params": dict(self.winner.params),
            "members": [asdict(member) for member in self.winner.members],
            "trials": self.trials,
            "failed_trials": self.failed,
            "test": {
                name: {"value": i.value, "low": i.low, "high": i.high} for name, i in self.evaluated.intervals.items()
            },
            "baselines": {name: dict(values) for name, values in self.evaluated.baselines.items()},
            "url": self.url,
            "trials_url": self.trials_url,
            "warning": self.warning,
        }

    @property
    def _won(self) -> str:
        if not self.winner.members:
            return (
                f"{self.winner.candidate} ({_listed(self.winner.params)}), trial {self.winner.number} of {self.trials}"
            )
        members = (
            f"\n    {member.weight:>4.0%}      {member.candidate} ({_listed(member.params)}), trial {member.trial}"
            for member in self.winner.members
        )
        return f"{len(self.winner.members)} of {self.trials} trials together" + "".join(members)

    def __str__(self) -> str:
        metric = self.evaluated.metric
        baselines = ", ".join(
            f"{name} {values[metric]:.4f}" for name, values in self.evaluated.baselines.items() if metric in values
        )
        return (
            f"{self.registered}\n"
            f"  winner      {self._won}\n"
            f"  test        {metric} {self.evaluated.intervals[metric]} on {self.evaluated.rows:,} rows\n"
            f"  baselines   {baselines}\n"
            f"  run         {self.url}\n"
            f"  trials      {self.trials_url}" + (f"\n  WARNING     {self.warning}" if self.warning else "")
        )


def _logged_in(uri: str) -> MlflowClient:
    """Return a client of a server that answers and, where it has users, knows the caller. Raises NoServer, CallerUnknown."""
    client = connect(uri)
    about(uri)
    return client


def run(settings: Settings, name: str, *, resume: bool = False, **given: Any) -> RunResult:
    """Search, evaluate the winner, and register the winner as a version (stage None).

    Args:
        settings: the project, the tracking server and the user.
        name: the experiment.
        resume: whether to take up the newest search of the same study, whose trials count.
        given: trials, timeout_s, seed, executor, workers, master, in place of the declared ones; None counts as not given.

    Raises SlipwayError of every kind.
    """
    spec = _with_search(declared(settings, name), given)
    check_code(spec)
    check_executor(spec.experiment.search)
    client = _logged_in(resolve_tracking_uri(settings))  # before the data are read, which may take minutes
    with step("data: read, contract, split"):
        prepared = prepare(spec)
    spec = prepared.spec
    question = question_of(spec, prepared)
    trusted = (*spec.experiment.search.trusted_types, *settings.trusted_types)
    rehearse(question, trusted)
    experiment = experiment_id(client, name)
    view = _best_first(spec.experiment.search.metric)
    describe_experiment(client, experiment, spec.experiment.scope.goal, view)
    close_dead(client, [experiment])
    past = past_of(client, experiment, spec, prepared) if resume else Past()
    if not resume and (sentence := offer(client, experiment, spec, prepared)):
        note(sentence)
    tags = _lineage(settings, spec, prepared, past)
    with open_run(client, experiment, "search", tags, settings.mlflow_run_id, past.run_id) as run_id:
        log_gate_code(client, run_id, spec)  # before the search, in whose hours somebody may edit them
        baselines = fit_baselines(spec.folder, spec.experiment, prepared.splits.development, prepared.classes)
        if past.run_id is None:
            log_what_is_searched(client, run_id, spec, prepared)
            log_baselines(client, experiment, run_id, question)
        searched = run_search(client, experiment, run_id, question, past)
        trials, winner = searched.trials, searched.winner
        with Drawing(beside=spec.experiment.search.executor == "processes") as drawing:
            evaluated, chosen = _refit_and_evaluate(client, run_id, spec, prepared, baselines, searched)
            findings = find(client, settings, spec, rows_tested(spec, prepared, evaluated), evaluated, chosen)
            order_figures(drawing, spec, prepared, evaluated, findings, trials)
            with step("model: store"):
                _store(run_id, spec, prepared, evaluated, winner, trusted)
            log_run_artifacts(client, settings, run_id, spec, prepared, evaluated, findings, trials, winner, drawing)
    with step("registry: new version"):
        registered = register_run(client, name, run_id, settings.trusted_types)
    failed = sum(trial.failed for trial in trials)
    url, trials_url = (_url(client, experiment, page) for page in (f"/{run_id}?", f"?viewStateShareKey={view.key}&"))
    task = spec.experiment.task
    warning = miscalibrated(task, calibration(task, evaluated.outcome))
    return RunResult(registered, run_id, winner, evaluated, len(trials), failed, url, trials_url, warning)


def _with_search(spec: Declared, given: Mapping[str, Any]) -> Declared:
    changes = {key: value for key, value in given.items() if value is not None}
    if changes.get("executor", "spark") != "spark":
        changes.setdefault("master", None)  # whoever asks for another executor has no use for Spark's master
    try:
        search = Search.model_validate({**dict(spec.experiment.search), **changes})
    except ValidationError as error:
        details = [((*detail["loc"], *detail.get("ctx", {}).get("at", ())), detail["msg"]) for detail in error.errors()]
        problems = "; ".join(f"{'.'.join(map(str, at))}: {message}" for at, message in details)
        raise UsageError(f"what was asked for does not fit the search of '{spec.name}': {problems}") from None
    return replace(spec, experiment=spec.experiment.model_copy(update={"search": search}))


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
        **({CONTINUES: past.continues} if past.continues else {}),
        **git_state(settings.project, spec.folder),
    }


def _refit_and_evaluate(
    client: MlflowClient,
    run_id: str,
    spec: Declared,
    prepared: Prepared,
    baselines: list[FittedBaseline],
    searched: Searched,
) -> tuple[Evaluated, Winner]:
    """Fit the winner anew on training and validation rows, and evaluate it on the test rows, which nothing else has seen."""
    trials, winner = searched.trials, searched.winner
    fitted = f"fitted once more, on all {len(prepared.splits.development):,} development rows"
    with step(f"evaluate: {winner.title}, {fitted}, on {len(prepared.splits.test):,} test rows"):
        model, chosen = fit_chosen(spec, prepared, winner, searched.kept)
        evaluated = evaluate(model, spec, prepared, baselines)
    validation = {f"validation_{name}": value for name, value in winner.metrics.items()}
    counts = {
        "trials": len(trials),
        "failed_trials": sum(trial.failed for trial in trials),
        "trials_stopped_early": sum(not trial.failed and not trial.complete for trial in trials),
        "trials_within_noise": len(contenders(trials, evaluated.metric)),
        "rows_without_target": prepared.rows_without_target,
    }
    params = {"candidate": winner.candidate, **parameters(spec.experiment, winner)}
    if chosen.threshold is not None:  # on calibrated probabilities it is another than the trial's
        validation["validation_threshold"] = chosen.threshold
    tags = {**chosen.as_tag(), ANSWERS: answers_digest(evaluated.outcome, prepared.digests["test"])}
    write(client, run_id, params, {**validation, **evaluated.metrics(), **counts}, tags)
    return evaluated, chosen


def _store(
    run_id: str, spec: Declared, prepared: Prepared, evaluated: Evaluated, winner: Trial, trusted: Sequence[str]
) -> None:
    log_model(
        run_id,
        evaluated.pipeline,
        spec.experiment,
        _example(spec, prepared, evaluated.inputs),
        contract=contract_of(spec.experiment, prepared.splits.development),
        code=travelling_code(spec, winner),
        trusted=trusted,
    )


def _example(spec: Declared, prepared: Prepared, inputs: Sequence[str]) -> Any:
    """Return up to three test rows, without missing values if there are such, since JSON has no NaN."""
    rows = prepared.splits.test[list(inputs)]
    whole = rows.dropna()
    rows = rows if whole.empty else whole
    return rows.sample(min(3, len(rows)), random_state=spec.experiment.search.seed)


def _best_first(metric: str) -> View:
    """Return the view of all trials and baselines, best first, each score with its noise beside it."""
    measured = [f"metrics.`{name}`" for name in (metric, f"{metric}_noise", f"test_{metric}")]
    columns = [*measured, "params.`candidate`", "attributes.`Models`"]
    ascending = not named(metric).greater_is_better
    return View(f"{VIEW_KEY}{metric}", f"trials by {metric}", columns, measured[0], ascending)


def _url(client: MlflowClient, experiment: str, page: str) -> str:
    """Return the address of a page of the experiment's runs; where no server shows it, the store with the page's path."""
    uri = str(client.tracking_uri)
    within = runs_page(experiment, page)
    return f"{uri}/#/{within}" if uri.startswith("http") else f"{uri} ({within})"


def _listed(params: Mapping[str, Any]) -> str:
    return ", ".join(f"{key}={_short(value)}" for key, value in params.items())


def _short(value: Any) -> Any:
    return f"{value:.4g}" if isinstance(value, float) else value
