"""A case is gathered: challenger and champion answer the same rows, and what the gates ask for is measured."""

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
from slipway.workflows.promotion.measure import measure_for, own_verdicts
from slipway.workflows.promotion.newest_rows import newest_rows


@contextmanager
def gathered(client: MlflowClient, settings: Settings, version: Version, stage: Stage) -> Iterator[Gathered]:
    """Score the stored model, and the one in Production, on the same rows, and measure what the gates before the stage ask for.

    What it was gathered from stays for as long as the block takes, so that a judge in this process need not fetch it again.
    Raises UntrustedModel, and KeyError, ValueError or TypeError when the model does not fit its own rows.
    """
    with temporary_folder() as made:
        folder = Path(made)
        with step(f"answers of {version.name} version {version.number} on its test rows"):
            basis = judged_inputs_of(client, version, stage, folder)
            trusted = (*basis.rows.experiment.search.trusted_types, *settings.trusted_types)
            case = EvidenceBundle(
                version.name, version.number, stage, version.tags[DIGEST], score(basis.files, basis.rows, trusted)
            )
            case = _with_champion(client, settings, basis, case, trusted, folder)
        gates = gates_before(basis.rows.experiment, stage)
        case = replace(case, measured=measure_for(settings, basis, gates, trusted))
        if stage is Stage.PRODUCTION and basis.rows.experiment.gates.own:
            own = own_verdicts(settings, basis.evidence(case))
            case = replace(case, measured=replace(case.measured, own=own))
        yield Gathered(case, basis)


def _with_champion(
    client: MlflowClient,
    settings: Settings,
    basis: JudgedInputs,
    case: EvidenceBundle,
    trusted: Sequence[str],
    folder: Path,
) -> EvidenceBundle:
    champion = basis.champion
    if champion is None:
        return case
    found = _answers(basis, basis.rows, trusted)
    case = replace(
        case,
        champion_version=(champion.number, champion.tags.get(DIGEST, "")),
        champion=found.outcome,
        problem=found.problem,
    )
    by = _tested_with(client, champion, folder / "by")
    if found.outcome is None or by is None:
        return case
    return replace(case, unseen=_unseen(basis, champion, by), newest=_newest(settings, basis, by, trusted))


def _answers(basis: JudgedInputs, rows: SameRows, trusted: Sequence[str]) -> Rescored:
    files = basis.champion_files
    if files is None:
        return Rescored(None, {}, {}, basis.problem)
    return rescore(lambda: files, rows, trusted)


def _tested_with(client: MlflowClient, champion: Version, folder: Path) -> SameRows | None:
    folder.mkdir()
    try:
        return rows_of(client, champion.run_id, folder)
    except (MlflowException, OSError):  # its run is gone, or is none of ours
        return None


def _unseen(basis: JudgedInputs, champion: Version, by: SameRows) -> NDArray[np.bool_] | None:
    same = basis.version.tags.get("slipway.data_digest") == champion.tags.get("slipway.data_digest")
    fresh = unseen(basis.rows, by, same_data=same)
    return None if fresh is None or fresh.all() else fresh


def _newest(settings: Settings, basis: JudgedInputs, by: SameRows, trusted: Sequence[str]) -> Newest | None:
    tested = basis.rows.tested
    frame = newest_rows(settings, basis.rows.experiment, [tested.rows, by.tested.rows], tested.classes)
    if frame is None:
        return None
    rows = on_rows(basis.rows, frame)
    since = str(frame[basis.rows.experiment.data.time].iloc[0])
    return Newest(since, score(basis.files, rows, trusted), _answers(basis, rows, trusted).outcome)
