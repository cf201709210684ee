"""`slipway report`: an experiment as one self-contained HTML page."""

import tempfile
from datetime import UTC, datetime
from pathlib import Path

from mlflow import MlflowClient
from mlflow.entities import Run

from slipway.core.release.transitions import Transition
from slipway.core.trials import Trial
from slipway.core.variants import VariantRecord
from slipway.errors import FileUnusable, UnknownName, UntrustedModel
from slipway.files import whole_file
from slipway.registry.evidence import sealed_trials
from slipway.registry.evidence.rescoring import verified_rows
from slipway.registry.evidence.test_rows import FOLDER
from slipway.registry.ledger import LEDGER_SUFFIX
from slipway.registry.trust import EVIDENCE_DIGEST
from slipway.registry.versions import Version, list_versions
from slipway.reports.card import ModelCard, read_card
from slipway.reports.page import ExperimentPage, LiveVersion, VersionRow, experiment_page
from slipway.settings import Settings
from slipway.tracking.client import runs_page
from slipway.tracking.runs import every_run
from slipway.tracking.trials import trials_of
from slipway.types import HELD_STAGES, Stage
from slipway.workflows.endpoint.variant_record import read_variants
from slipway.workflows.promotion.transition import open_ledger
from slipway.workflows.session import open_client

_HISTORY, _PARALLEL = "search_history", "search_parallel"


def report(settings: Settings, name: str, output: Path | None = None) -> Path:
    """Render the page of an experiment and return its path: `output`, or NAME.html in the working directory.

    The page shows the version in Production, or else the newest finished run, with all versions and transitions, and the
    shadow and canary that services of this home had last.
    Raises UnknownName when the experiment has no finished run, FileUnusable when the page cannot be written.
    """
    client = open_client(settings)
    versions = list_versions(client, name)
    transitions = open_ledger(client, name).transitions() if versions else []
    run = _run_to_show(client, name, versions)
    path = output or Path(f"{name}.html")
    with tempfile.TemporaryDirectory(prefix="slipway-report-") as made:
        page = _page(client, run, versions, transitions, Path(made), read_variants(settings.home, name))
    write_page(path, experiment_page(page))
    return path


def write_page(path: Path, text: str) -> None:
    """Write a page whole or not at all. Raises FileUnusable when it cannot be written."""
    try:
        with whole_file(path) as draft:
            draft.write_text(text, encoding="utf-8")
    except OSError as error:
        raise FileUnusable(f"{path} cannot be written: {error.strerror}") from error


def _run_to_show(client: MlflowClient, name: str, versions: list[Version]) -> Run:
    for version in versions:
        if version.stage is Stage.PRODUCTION:
            return client.get_run(version.run_id)
    experiment = client.get_experiment_by_name(name)
    finished = "attributes.status = 'FINISHED' and tags.`slipway.kind` = 'search'"
    if experiment:
        for run in client.search_runs([experiment.experiment_id], finished, max_results=1):
            return run
    known = [each.name for each in client.search_experiments() if not each.name.endswith(LEDGER_SUFFIX)]
    raise UnknownName("experiment with a finished run", name, known, f"Train it with `slipway run {name}`")


def _page(
    client: MlflowClient,
    run: Run,
    versions: list[Version],
    transitions: list[Transition],
    folder: Path,
    variants: list[VariantRecord],
) -> ExperimentPage:
    run_id = str(run.info.run_id)
    card = read_card(Path(client.download_artifacts(run_id, "model_card.json", str(folder))).read_text())
    plots = {path.stem: path.read_bytes() for path in _plots(client, run_id, folder)}
    trials, changed = _trials(client, run, card.search.metric, versions, folder)
    uri = str(client.tracking_uri)
    where = f"{uri}/#/{runs_page(run.info.experiment_id, f'/{run_id}?')}"
    return ExperimentPage(
        card=card,
        made=datetime.now(UTC),
        standings=tuple(_live_version(version, transitions) for version in versions if version.stage in HELD_STAGES),
        trials=trials,
        changed=tuple(changed),
        plots={name: png for name, png in plots.items() if name not in (_HISTORY, _PARALLEL)},
        history_png=plots.get(_HISTORY),
        parallel_png=plots.get(_PARALLEL),
        versions=_version_rows(client, run.info.experiment_id, versions, transitions, card),
        transitions=tuple(transitions),
        arms=tuple(variants),
        links={"the run in MLflow": where} if uri.startswith("http") else {},
    )


def _trials(
    client: MlflowClient, run: Run, metric: str, versions: list[Version], folder: Path
) -> tuple[tuple[Trial, ...], list[str]]:
    """Return the trials of a run and what was changed of them since, a sentence each.

    Where the run sealed its trials, these are shown, whatever their runs in MLflow say now.
    """
    recorded = tuple(trials_of(client, run, metric))
    registered = next((version for version in versions if version.run_id == run.info.run_id), None)
    try:
        if registered is not None and EVIDENCE_DIGEST in registered.tags:
            verified_rows(client, registered, folder)
            kept = folder / "kept"
        else:
            kept = folder
            client.download_artifacts(run.info.run_id, FOLDER, str(folder))
    except UntrustedModel as error:
        return recorded, [f"{error}; the trials are shown as their runs tell them now"]
    sealed = sealed_trials.load(kept)
    return (recorded, []) if sealed is None else (sealed, sealed_trials.changes(sealed, recorded, metric))


def _plots(client: MlflowClient, run_id: str, folder: Path) -> list[Path]:
    return sorted(Path(client.download_artifacts(run_id, "plots", str(folder))).glob("*.png"))


def _live_version(version: Version, transitions: list[Transition]) -> LiveVersion:
    moved = [m for m in transitions if m.version == version.number and m.stage is version.stage and m.complete]
    last = next((m for m in reversed(moved) if m.action.moves), None)
    return LiveVersion(
        version.stage, version.number, last.at if last else None, last.by if last else "", version.run_id
    )


def _version_rows(
    client: MlflowClient, experiment: str, versions: list[Version], transitions: list[Transition], card: ModelCard
) -> tuple[VersionRow, ...]:
    """Return one row a version; one request gets the test metric of all their runs."""
    registered = "tags.`slipway.kind` = 'search' and attributes.status = 'FINISHED'"
    metric = f"test_{card.search.metric}"
    values = {run.info.run_id: run.data.metrics.get(metric) for run in every_run(client, [experiment], registered)}
    return tuple(_version_row(version, transitions, values.get(version.run_id)) for version in versions)


def _version_row(version: Version, transitions: list[Transition], value: float | None) -> VersionRow:
    ours = (transition for transition in transitions if transition.version == version.number)
    judged = [transition for transition in ours if transition.action.judges and transition.verdicts]
    created = datetime.fromtimestamp(version.created_ms / 1000, UTC)
    verdicts = judged[-1].verdicts if judged else ()
    return VersionRow(version.number, version.stage, created, version.run_id, value, verdicts)
