"""The model card of a run, filled from the declaration, the data, the search and the evaluation."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from slipway.core.choice import contenders
from slipway.core.gates import every_gate
from slipway.core.promises import promises
from slipway.core.spec import Experiment, TimeSplit
from slipway.core.statistics.calibration import miscalibrated
from slipway.core.trials import Trial
from slipway.errors import some_of
from slipway.reports.card import (
    CardColumn,
    CardData,
    CardGate,
    CardLineage,
    CardPart,
    CardResult,
    CardSearch,
    ModelCard,
)
from slipway.tracking.lineage import file_digest, git_commit
from slipway.tracking.trials import parameters
from slipway.workflows.project import Declared, travelling_code
from slipway.workflows.training.analysis import Findings
from slipway.workflows.training.evaluate import Evaluated
from slipway.workflows.training.prepare import Prepared

_FEW_TEST_ROWS = 1000
_FEW = 4


def model_card(
    run_id: str,
    spec: Declared,
    prepared: Prepared,
    evaluated: Evaluated,
    findings: Findings,
    trials: Sequence[Trial],
    winner: Trial,
) -> ModelCard:
    """Return the model card of a run."""
    code = travelling_code(spec, winner)
    experiment = spec.experiment
    scope = experiment.scope
    baselines = evaluated.baselines
    results = tuple(
        CardResult(metric, interval, {name: values[metric] for name, values in baselines.items() if metric in values})
        for metric, interval in evaluated.intervals.items()
    )
    return ModelCard(
        name=spec.name,
        run_id=run_id,
        goal=scope.goal,
        decision=scope.decision or "",
        owner=scope.owner or "",
        maturity=scope.maturity.value,
        target=experiment.data.target,
        task=experiment.task,
        data=_data(spec, prepared),
        columns=tuple(_column(experiment, name, prepared.frame) for name in experiment.data.columns),
        search=_search(experiment, len(prepared.splits.folds), trials, winner),
        results=results,
        gates=_gates(experiment),
        caveats=(
            *_warnings(experiment, findings),
            *findings.doubts,
            *_caveats(experiment, prepared, findings, trials),
        ),
        lineage=_lineage(spec, code),
        positive_class=f"{prepared.classes[1]}" if len(prepared.classes) == 2 else "",
        created=datetime.now(UTC),
        slices=findings.slices,
        fairness=findings.fairness,
        decided=findings.decided,
        calibration=findings.calibration,
        disagreement=findings.disagreement,
        promises=promises(experiment),
    )


def _data(spec: Declared, prepared: Prepared) -> CardData:
    data = spec.experiment.data
    first, last = _span(prepared.frame, data.time)
    return CardData(
        source=data.source.declared,
        rows=len(prepared.frame),
        digest=prepared.digests["all"],
        split=prepared.splits.rule,
        parts=tuple(
            CardPart(name, len(part), *_span(part, data.time)) for name, part in prepared.splits.parts().items()
        ),
        first=first,
        last=last,
    )


def _span(frame: pd.DataFrame, time: str | None) -> tuple[str, str]:
    return (f"{frame[time].min():%Y-%m-%d %H:%M}", f"{frame[time].max():%Y-%m-%d %H:%M}") if time else ("", "")


def _column(experiment: Experiment, name: str, frame: pd.DataFrame) -> CardColumn:
    data, column = experiment.data, experiment.data.columns[name]
    roles = {data.target: "target", data.id: "id", data.time: "time", data.weight: "weight"}
    role = roles.get(name) or ("feature" if name in data.features else "kept beside")
    return CardColumn(name, column.type.value, column.known or "", float(frame[name].isna().mean()), role)


def _search(experiment: Experiment, folds: int, trials: Sequence[Trial], winner: Trial) -> CardSearch:
    return CardSearch(
        metric=experiment.search.metric,
        trials_done=sum(not trial.failed for trial in trials),
        trials_failed=sum(trial.failed for trial in trials),
        candidates=tuple(experiment.search.candidates),
        winner=winner.candidate,
        parameters=_parameters(experiment, winner),
        validation_value=winner.score,
        duration_s=sum(trial.duration_s for trial in trials),
        seed=experiment.search.seed,
        within_noise=len(contenders(trials, experiment.search.metric)),
        preferred=experiment.search.prefer,
        folds=folds if folds > 1 else None,
        let_go=sum(not trial.failed and not trial.complete for trial in trials) if experiment.search.halving else None,
    )


def _parameters(experiment: Experiment, winner: Trial) -> dict[str, object]:
    """Return the parameters of the winner; of an ensemble, each member with its weight and parameters."""
    if not winner.members:
        return parameters(experiment, winner)
    fixed = {name: experiment.search.candidates[name].params for name in winner.candidates}
    return {
        f"{each.weight:.0%} {each.candidate} (trial {each.trial})": ", ".join(
            f"{key}={value}" for key, value in {**fixed[each.candidate], **each.params}.items()
        )
        for each in winner.members
    }


def _gates(experiment: Experiment) -> tuple[CardGate, ...]:
    """Return every gate; one that does not apply carries the reason as its demand."""
    return tuple(
        CardGate(gate.name, gate.demand, gate.stages[0].value if gate.stages else "") for gate in every_gate(experiment)
    )


def _warnings(experiment: Experiment, findings: Findings) -> tuple[str, ...]:
    """Return the caveats that stand before all others."""
    warning = miscalibrated(experiment.task, findings.calibration)
    return (warning,) if warning else ()


def _caveats(
    experiment: Experiment, prepared: Prepared, findings: Findings, trials: Sequence[Trial]
) -> tuple[str, ...]:
    caveats = [
        *_counted(experiment, prepared),
        "The intervals take rows as independent; rows of one day or one customer are not, so the true ones are wider.",
    ]
    if worse := [f"{part.column} {part.value}" for part in findings.slices if part.worse]:
        caveats.append(f"It is worse than on the rest, beyond the noise, for {some_of(worse, _FEW)}.")
    if not isinstance(experiment.split, TimeSplit) and not getattr(experiment.split, "test_from", None):
        caveats.append(
            "The split is not by time: what the model will meet later may differ more than these test rows do."
        )
    if len(prepared.splits.test) < _FEW_TEST_ROWS:
        caveats.append(f"Only {len(prepared.splits.test)} test rows: read the intervals, not the values.")
    caveats += [f"Is it a leak? {doubt}." for doubt in prepared.doubts]
    if failed := sum(trial.failed for trial in trials):
        caveats.append(f"{failed} of {len(trials)} trials failed; their errors are in leaderboard.csv.")
    return tuple(caveats)


def _counted(experiment: Experiment, prepared: Prepared) -> list[str]:
    """Say which rows count, and how much."""
    sentences, data = [], experiment.data
    if data.weight:
        sentences.append(
            f"Each row counts as its {data.weight} says, in every fit, score and interval; the figures show every row once."
        )
    if left_out := prepared.rows_without_target:
        sentences.append(f"{left_out:,} rows have no {data.target}: nothing was fitted or measured on them.")
    return sentences


def _lineage(spec: Declared, code: Sequence[Path]) -> CardLineage:
    return CardLineage(
        git_commit=git_commit(spec.folder),
        spec_digest=spec.experiment.digest,
        lock_digest=file_digest(spec.folder.parents[1] / "requirements.lock") or "",
        code=tuple(path.name for path in code),
    )
