"""The gathering of an evidence bundle: both models answer the same rows, and what the gates need is measured."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from numpy.typing import NDArray

from slipway.core.gates import Newest, gates_before
from slipway.progress import step
from slipway.registry.artifacts.models import temporary_folder
from slipway.registry.evidence.bundle import EvidenceBundle
from slipway.registry.evidence.rescoring import Rescored, SameRows, on_rows, rescore, rows_of, score, unseen
from slipway.registry.trust import DIGEST
from slipway.registry.versions import Version
from slipway.settings import Settings
from slipway.types import Stage
from slipway.workflows.promotion.judged_inputs import Gathered, JudgedInputs, judged_inputs_of
from slipway.workflows.promotion.measure import measure_for
from slipway.workflows.promotion.newest_rows import newest_rows
from slipway.workflows.promotion.own_gates import own_verdicts
from slipway.workflows.promotion.own_scores import with_own_scores


@contextmanager
def gathered(client: MlflowClient, settings: Settings, version: Version, stage: Stage) -> Iterator[Gathered]:
    """Score the stored model and the champion on the same rows, and measure what the gates before the stage ask for.

    The files that the bundle was gathered from stay until the block ends, so that a judge in this process need not fetch them.
    Raises UntrustedModel, and KeyError, ValueError or TypeError when the model does not fit its own rows.
    """
    with temporary_folder() as made:
        folder = Path(made)
        with step(f"answers of {version.name} version {version.number} on its test rows"):
            inputs = judged_inputs_of(client, version, stage, folder, settings.trusted_types)
            trusted = (*inputs.rows.experiment.search.trusted_types, *settings.trusted_types)
            bundle = EvidenceBundle(
                version.name, version.number, stage, version.tags[DIGEST], score(inputs.files, inputs.rows, trusted)
            )
            bundle = _with_champion(client, settings, inputs, bundle, trusted, folder)
        gates = gates_before(inputs.rows.experiment, stage)
        bundle = replace(bundle, measured=measure_for(settings, inputs, gates, trusted))
        bundle = replace(bundle, measured=with_own_scores(settings, inputs, inputs.evidence(bundle)))
        if stage is Stage.PRODUCTION and inputs.rows.experiment.gates.own:
            own = own_verdicts(settings, inputs, inputs.evidence(bundle))
            bundle = replace(bundle, measured=replace(bundle.measured, own=own))
        yield Gathered(bundle, inputs)


def _with_champion(
    client: MlflowClient,
    settings: Settings,
    inputs: JudgedInputs,
    bundle: EvidenceBundle,
    trusted: Sequence[str],
    folder: Path,
) -> EvidenceBundle:
    champion = inputs.champion
    if champion is None:
        return bundle
    answers = _answers(inputs, inputs.rows, trusted)
    bundle = replace(
        bundle,
        champion_version=(champion.number, champion.tags.get(DIGEST, "")),
        champion=answers.outcome,
        problem=answers.problem,
    )
    champion_rows = _tested_with(client, champion, folder / "by")
    if answers.outcome is None or champion_rows is None:
        return bundle
    return replace(
        bundle,
        unseen=_unseen(inputs, champion, champion_rows),
        newest=_newest(settings, inputs, champion_rows, trusted),
    )


def _answers(inputs: JudgedInputs, rows: SameRows, trusted: Sequence[str]) -> Rescored:
    files = inputs.champion_files
    if files is None:
        return Rescored(None, {}, {}, inputs.problem)
    return rescore(lambda: files, rows, trusted)


def _tested_with(client: MlflowClient, champion: Version, folder: Path) -> SameRows | None:
    folder.mkdir()
    try:
        return rows_of(client, champion.run_id, folder)
    except (MlflowException, OSError):  # its run is gone, or Slipway did not make it
        return None


def _unseen(inputs: JudgedInputs, champion: Version, champion_rows: SameRows) -> NDArray[np.bool_] | None:
    same = inputs.version.tags.get("slipway.data_digest") == champion.tags.get("slipway.data_digest")
    fresh = unseen(inputs.rows, champion_rows, same_data=same)
    return None if fresh is None or fresh.all() else fresh


def _newest(settings: Settings, inputs: JudgedInputs, champion_rows: SameRows, trusted: Sequence[str]) -> Newest | None:
    tested = inputs.rows.tested
    frame = newest_rows(settings, inputs.rows.experiment, [tested.rows, champion_rows.tested.rows], tested.classes)
    if frame is None:
        return None
    rows = on_rows(inputs.rows, frame)
    since = str(frame[inputs.rows.experiment.data.time].iloc[0])
    return Newest(since, score(inputs.files, rows, trusted), _answers(inputs, rows, trusted).outcome)
