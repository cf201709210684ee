"""The two sides of a comparison, found in MLflow by what a reviewer calls them: number, stage, run id or its start."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from mlflow import MlflowClient
from mlflow.entities import Run, RunStatus, ViewType
from mlflow.exceptions import MlflowException

from slipway.core.statistics.comparison import COST, LINEAGE, Side
from slipway.core.statistics.metrics import METRICS
from slipway.errors import Refusal, UnknownName, UnknownVersion, UsageError
from slipway.registry.absent import is_absent
from slipway.registry.ledger import LEDGER_SUFFIX
from slipway.registry.trust import DIGEST
from slipway.registry.versions import Version, list_versions, version_in
from slipway.tracking.client import runs_page
from slipway.tracking.liveness import close_dead
from slipway.types import HELD_STAGES, Interval, Stage

_RUN_ID = re.compile(r"[0-9a-f]{6,32}")
_SHORT = 8
_KIND, _PARENT = "slipway.kind", "mlflow.parentRunId"
_METRICS = (*METRICS, COST)


@dataclass(frozen=True)
class FoundSide:
    """One side of a comparison, as it was found in MLflow.

    Attributes:
        run: the run of the side.
        search: the search that the run belongs to: the run itself, or the parent of a trial.
        version: the version that was registered from the run; None for none.
        by_version: whether the caller named a version rather than a run.
    """

    run: Run
    search: Run
    version: Version | None
    by_version: bool

    @property
    def run_id(self) -> str:
        return str(self.run.info.run_id)

    @property
    def kind(self) -> str:
        return str(self.run.data.tags.get(_KIND, ""))

    def label(self, characters: int = _SHORT) -> str:
        """Return the name of the side: its version where the caller named one, else its run."""
        return (
            f"version {self.version.number}" if self.version and self.by_version else f"run {self.run_id[:characters]}"
        )


def find_two(client: MlflowClient, name: str, left: str | None, right: str | None) -> tuple[FoundSide, FoundSide]:
    """Find both sides of a comparison; when none is named, the version in Production and the newest other one.

    Raises:
        UnknownName: a side does not exist.
        UsageError: a name has two meanings, or both sides are the same.
        Refusal: a run is deleted, still running or of another experiment, or the model has no two versions.
    """
    versions, experiment = list_versions(client, name), client.get_experiment_by_name(name)
    if not versions and experiment is None:
        known = [each.name for each in client.search_experiments() if not each.name.endswith(LEDGER_SUFFIX)]
        raise UnknownName("experiment or registered model", name, known, f"Train it with `slipway run {name}`")
    if left is None and right is None:
        sides = [_of_version(client, version) for version in _champion_and_newest(name, versions)]
    elif left is None or right is None:
        raise UsageError(f"a comparison takes two sides: `slipway compare {name} LEFT RIGHT`, or none of them")
    else:
        experiment_id = str(experiment.experiment_id) if experiment else None
        sides = [_find(client, name, asked, versions, experiment_id) for asked in (left, right)]
    one, other = sides
    if one.run_id == other.run_id and (one.version == other.version):
        both = one.label() if one.label() == other.label() else f"{one.label()}, which is {other.label()}"
        raise UsageError(f"both sides are {both}; there is nothing to compare")
    return one, other


def described(found: tuple[FoundSide, FoundSide], uri: str) -> tuple[Side, Side]:
    """Return the recorded facts of both sides. uri: the address of the tracking server."""
    ids = [each.run_id for each in found]
    differ_at = next((i for i, (a, b) in enumerate(zip(*ids, strict=True)) if a != b), 0)
    left, right = (_side(each, max(_SHORT, differ_at + 1), uri) for each in found)
    return left, right


def _champion_and_newest(name: str, versions: Sequence[Version]) -> tuple[Version, Version]:
    live = next((version for version in versions if version.stage is Stage.PRODUCTION), None)
    if live is not None and len(versions) > 1:
        return live, next(version for version in versions if version is not live)
    there = ", ".join(f"version {version.number} ({version.stage.words})" for version in versions) or "no version"
    missing = "no version beside the one in Production" if live else "no version in Production"
    raise Refusal(
        f"{name} has {missing}; there is: {there}. Train another with `slipway run {name}`, "
        f"or name two versions or runs: `slipway compare {name} LEFT RIGHT`"
    )


def _find(
    client: MlflowClient, name: str, asked: str, versions: Sequence[Version], experiment: str | None
) -> FoundSide:
    word = asked.strip().lower()
    for version in versions:
        if word == str(version.number):
            return _of_version(client, version)
    for stage in Stage:
        if word == stage.lower():
            if stage not in HELD_STAGES:
                raise UsageError(f"the stage {stage} may hold many versions; name the one that is meant by its number")
            return _of_version(client, version_in(client, name, stage))
    if _RUN_ID.fullmatch(word):
        return _of_run(client, name, word, versions, experiment)
    if word.isdigit():
        raise UnknownVersion(name, asked, [version.number for version in versions])
    known = [*reversed(HELD_STAGES), *(version.number for version in versions)]
    hint = "A run is named by its id, or by 6 or more characters of its start"
    raise UnknownName(f"version, stage or run of {name}", asked, known, hint)


def _of_version(client: MlflowClient, version: Version) -> FoundSide:
    run = _run(client, version.run_id) if version.run_id else None
    if run is None:
        raise Refusal(f"nothing is recorded of {version.name} version {version.number}: its run is not in MLflow")
    return FoundSide(run, run, version, by_version=True)


def _of_run(
    client: MlflowClient, name: str, start: str, versions: Sequence[Version], experiment: str | None
) -> FoundSide:
    run = _the_run(client, name, start, experiment)
    if not RunStatus.is_terminated(RunStatus.from_string(run.info.status)):
        close_dead(client, [run.info.experiment_id])  # it may only look alive
        run = client.get_run(run.info.run_id)
    if not RunStatus.is_terminated(RunStatus.from_string(run.info.status)):
        raise Refusal(f"run {run.info.run_id} ({run.info.run_name}) is still running; compare it when it has ended")
    registered = [version for version in versions if version.run_id == run.info.run_id]
    registered = [version for version in registered if DIGEST in version.tags] or registered  # one that can be verified
    return FoundSide(run, _search_of(client, run), registered[-1] if registered else None, by_version=False)


def _the_run(client: MlflowClient, name: str, start: str, experiment: str | None) -> Run:
    runs = _starting_with(client, [experiment], start) if experiment else []
    active = [run for run in runs if run.info.lifecycle_stage == "active"]
    if len(active) == 1:
        return active[0]
    if active:
        listed = ", ".join(f"{run.info.run_id} ({run.info.run_name})" for run in active)
        raise UsageError(f"more than one run of {name} starts with {start}: {listed}; give more of its id")
    if runs:
        raise Refusal(f"run {runs[0].info.run_id} is deleted; restore it in MLflow to compare it")
    others = {each.experiment_id: each.name for each in client.search_experiments()}
    for run in _starting_with(client, list(others), start):
        raise Refusal(f"run {run.info.run_id} is of '{others[run.info.experiment_id]}', not of '{name}'")
    newest = client.search_runs([experiment], f"tags.`{_KIND}` = 'search'", max_results=5) if experiment else []
    known = [run.info.run_id for run in newest]
    raise UnknownName(f"run of {name} that starts with", start, known, "Trials have their ids in the MLflow UI")


def _starting_with(client: MlflowClient, experiments: Sequence[str], start: str) -> list[Run]:
    """Return up to five runs whose ids start so, which is enough to see that there are several."""
    like = f"attributes.run_id LIKE '{start}%'"
    return list(client.search_runs(list(experiments), like, run_view_type=ViewType.ALL, max_results=5))


def _search_of(client: MlflowClient, run: Run) -> Run:
    parent = run.data.tags.get(_PARENT)
    return (_run(client, parent) if parent else None) or run


def _run(client: MlflowClient, run_id: str) -> Run | None:
    try:
        return client.get_run(run_id)
    except MlflowException as error:
        if not is_absent(error):
            raise
        return None


def _side(found: FoundSide, characters: int, uri: str) -> Side:
    run, tags = found.run, found.search.data.tags
    page = f"{uri}/#/{runs_page(run.info.experiment_id, f'/{found.run_id}?')}"
    params = dict(run.data.params)
    inputs = found.search.inputs.dataset_inputs if found.search.inputs else []
    return Side(
        label=found.label(characters),
        run_id=found.run_id,
        run_name=str(run.info.run_name),
        kind=found.kind,
        status=str(run.info.status),
        started=datetime.fromtimestamp(run.info.start_time / 1000, UTC),
        version=found.version.number if found.version else None,
        stage=found.version.stage if found.version else None,
        candidate=params.pop("candidate", ""),
        params=params | _threshold(run.data.metrics),
        validation=_validation(found.kind, run.data.metrics),
        test=_test(run.data.metrics),
        lineage={key: tags[f"slipway.{key}"] for key in LINEAGE if f"slipway.{key}" in tags},
        parts={tag.value: part.dataset.digest for part in inputs for tag in part.tags},
        share=run.data.metrics.get("share", 1.0),
        url=page if uri.startswith("http") else "",
    )


def _threshold(metrics: Mapping[str, float]) -> dict[str, str]:
    threshold = metrics.get("validation_threshold", metrics.get("threshold"))
    return {} if threshold is None else {"decision threshold": str(threshold)}


def _validation(kind: str, metrics: Mapping[str, float]) -> dict[str, float]:
    prefix = "validation_" if kind == "search" else ""
    return {name: metrics[prefix + name] for name in _names(metrics) if prefix + name in metrics}


def _names(metrics: Mapping[str, float]) -> tuple[str, ...]:
    """Return the names of all metrics, with those of the experiment's own: a run has their ends, a trial its noise."""
    ends = {key.removeprefix("test_").removesuffix("_low") for key in metrics if re.fullmatch("test_.+_low", key)}
    noisy = {key.removesuffix("_noise") for key in metrics if key.endswith("_noise")}
    return (*_METRICS, *sorted((ends | noisy) - set(_METRICS)))


def _test(metrics: Mapping[str, float]) -> dict[str, Interval]:
    nan = float("nan")
    return {
        name: Interval(value, metrics.get(f"test_{name}_low", nan), metrics.get(f"test_{name}_high", nan))
        for name in _names(metrics)
        if (value := metrics.get(f"test_{name}")) is not None
    }
