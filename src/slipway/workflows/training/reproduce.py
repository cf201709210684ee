"""`slipway reproduce`: the winner fitted again from its records, and compared with the stored model row by row."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed
from pathlib import Path
from typing import Any

import numpy as np
from mlflow import MlflowClient
from mlflow.entities import Run
from packaging.requirements import Requirement

from slipway.core.prediction import predict, weighted
from slipway.core.spec import Experiment
from slipway.core.statistics.metrics import Metric, Outcome, measure
from slipway.errors import Refusal
from slipway.progress import step
from slipway.registry.artifacts.fetch import fetch_verified
from slipway.registry.artifacts.models import inputs_of, recorded_experiment, requirements_of, temporary_folder
from slipway.registry.trust import load_trusted
from slipway.registry.versions import Version, get_version
from slipway.search import own_metrics
from slipway.settings import Settings
from slipway.tracking.lineage import code_digest, file_digest
from slipway.workflows.project import Declared
from slipway.workflows.session import open_client
from slipway.workflows.training.prepare import Prepared, prepare
from slipway.workflows.training.winner import WINNER, fit_winner, winner_from

_SHOWN = 5


@dataclass(frozen=True)
class Reproduction:
    """A winner fitted anew, compared with the stored model on the test rows.

    Attributes:
        version: the version of the stored model.
        metrics: each metric as (recorded, now).
        rows: how many test rows there are.
        different: how many rows have another label or score.
        largest: the largest difference of a score, or of a regression's value.
        first: the numbers of the first rows that differ.
        surroundings: facts that changed since, such as a package's version; empty where none did.
    """

    version: Version
    metrics: Mapping[str, tuple[float, float]]
    rows: int
    different: int
    largest: float
    first: tuple[Any, ...]
    surroundings: tuple[str, ...]

    @property
    def identical(self) -> bool:
        return self.different == 0

    def as_dict(self) -> dict[str, Any]:
        metrics = {name: {"recorded": was, "now": now} for name, (was, now) in self.metrics.items()}
        facts = {key: value for key, value in vars(self).items() if key not in ("version", "metrics")}
        return {**self.version.facts(), "identical": self.identical, **facts, "metrics": metrics}

    def __str__(self) -> str:
        verdict = "is reproduced" if self.identical else "is NOT reproduced"
        rows = ", ".join(map(str, self.first)) + (", …" if self.different > len(self.first) else "")
        lines = [
            f"{self.version.name} version {self.version.number} {verdict}",
            f"  predictions {self.rows - self.different:,} of {self.rows:,} test rows are identical"
            + (f"; largest difference {self.largest:.3g} (rows {rows})" if self.different else ""),
        ]
        for name, (was, now) in self.metrics.items():
            change = "the same" if was == now else f"{now - was:+.3g}"
            lines.append(f"  {name:<20}{was:.6f} recorded, {now:.6f} now ({change})")
        return "\n".join([*lines, *(f"  not as it was: {fact}" for fact in self.surroundings)])


def reproduce(settings: Settings, name: str, version: int) -> Reproduction:
    """Fit the winner of a version's run again: same declaration, data, code, parameters and threshold.

    Raises Refusal, before anything is trained, when the code or the data are not those of the run; UnknownName, UntrustedModel.
    """
    client = open_client(settings)
    original = get_version(client, name, version)
    with temporary_folder() as made:
        files = fetch_verified(original, Path(made) / "model")
        run = client.get_run(original.run_id)
        if WINNER not in run.data.tags:
            raise Refusal(f"the run of {name} version {version} kept no exact parameters; train a new version")
        spec = _recorded(settings, client, original, Path(made))
        _require_same_code(spec, run)
        with step("data: read, contract, split"):
            prepared = prepare(spec, now=datetime.fromtimestamp(run.info.start_time / 1000, UTC).replace(tzinfo=None))
        _require_same_data(name, run, prepared)
        winner = winner_from(run.data.tags)
        trials = ", ".join(str(part.trial) for part in winner.parts)
        with step(f"model: {winner.candidate} of trial {trials}, fitted anew"):
            model = fit_winner(spec, prepared, winner)
        trusted = (*spec.experiment.search.trusted_types, *settings.trusted_types)
        with step("predictions: compared row by row"):
            again = _score(model, spec.experiment.data.features, spec.experiment, prepared)
            stored = _score(load_trusted(files, trusted), inputs_of(files), spec.experiment, prepared)
        own = own_metrics(spec.folder, spec.experiment, prepared.classes)
        changed = _surroundings(settings, run, files)
        return _compared(original, run, spec.experiment, prepared, again, stored, changed, own)


def _recorded(settings: Settings, client: MlflowClient, version: Version, folder: Path) -> Declared:
    experiment = recorded_experiment(client, version.run_id, folder)
    return Declared(settings.experiments / experiment.name, "", experiment, settings.variables)


def _require_same_code(spec: Declared, run: Run) -> None:
    was, now = run.data.tags["slipway.code_digest"], code_digest(spec.folder)
    if was == now:
        return
    commit = run.data.tags.get("slipway.git_commit")
    there = f"git worktree add ../{spec.name}-then {commit[:12]}" if commit else "check out the code of then"
    raise Refusal(
        f"the Python files of {spec.folder} are not those of the run ({was[:12]} then, {now[:12]} now); nothing was trained. "
        f"`{there}` and run `slipway reproduce` with --project there"
    )


def _require_same_data(name: str, run: Run, prepared: Prepared) -> None:
    was, now = run.data.tags["slipway.data_digest"], prepared.digests["all"]
    if was != now:
        raise Refusal(
            f"the data of '{name}' are not those of the run ({was[:12]} then, {now[:12]} now, "
            f"{len(prepared.frame):,} rows); nothing was trained. Bring the rows of then back, or train a new version"
        )


def _surroundings(settings: Settings, run: Run, files: Path) -> tuple[str, ...]:
    tags, changed = run.data.tags, []
    if tags.get("slipway.lock_digest") != (file_digest(settings.project / "requirements.lock") or None):
        changed.append("requirements.lock")
    for requirement in map(Requirement, requirements_of(files)):
        if not requirement.specifier.contains(now := _installed(requirement.name)):
            changed.append(f"{requirement.name}{requirement.specifier} then, {now or 'not installed'} now")
    if tags.get("slipway.git_dirty") == "true":
        changed.append("the checkout had changes that were in no commit (the experiment's own code is as it was)")
    return tuple(changed)


def _installed(name: str) -> str:
    try:
        return installed(name)
    except PackageNotFoundError:
        return ""


def _score(model: Any, inputs: Iterable[str], experiment: Experiment, prepared: Prepared) -> Outcome:
    """Score a model on the columns that it asks for: a model of an older Slipway asks for texts and times too."""
    test = prepared.splits.test
    answers = predict(model, test[list(inputs)], test[experiment.data.target], experiment.task, prepared.classes)
    return weighted(answers, test, experiment.data)


def _compared(
    version: Version,
    run: Run,
    experiment: Experiment,
    prepared: Prepared,
    again: Outcome,
    stored: Outcome,
    surroundings: tuple[str, ...],
    own: Sequence[Metric] = (),
) -> Reproduction:
    differs = again.predicted != stored.predicted
    distance = np.abs(again.predicted - stored.predicted) if not experiment.task.is_classification else np.zeros(1)
    if again.scores is not None and stored.scores is not None:
        each = np.abs(again.scores - stored.scores).reshape(again.rows, -1)
        differs, distance = differs | each.any(axis=1), each
    measured = measure(experiment.task, again, own)
    recorded = {name: run.data.metrics[f"test_{name}"] for name in measured if f"test_{name}" in run.data.metrics}
    return Reproduction(
        version=version,
        metrics={name: (value, measured[name]) for name, value in recorded.items()},
        rows=again.rows,
        different=int(differs.sum()),
        largest=float(distance.max()),
        first=tuple(prepared.splits.test.index[differs][:_SHOWN].tolist()),
        surroundings=surroundings,
    )
