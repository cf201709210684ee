"""The facts of the board's page of one version, which a reviewer reads before pressing a button."""

from collections.abc import Sequence
from urllib.parse import quote

from mlflow import MlflowClient
from mlflow.entities import Run
from mlflow.exceptions import MlflowException

from slipway.core.release.judgement import ELIGIBILITY, Eligibility, eligibility
from slipway.core.release.ledger import Entry
from slipway.core.release.transitions import ServedBeside, before_production
from slipway.registry.absent import is_absent
from slipway.registry.eligibility import served_beside
from slipway.registry.ledger import Ledger, ledger_of
from slipway.registry.trust import DIGEST
from slipway.registry.versions import Version, get_version
from slipway.reports.board import StageGates, VersionPage, Visitor
from slipway.tracking.client import runs_page
from slipway.types import HELD_STAGES, Stage
from slipway.workflows.board.buttons import Position, buttons
from slipway.workflows.board.comparison import Comparisons
from slipway.workflows.board.entries import entries_on, thread_of
from slipway.workflows.board.index import LedgerRow
from slipway.workflows.board.overview import goal_of, ledger_run
from slipway.workflows.board.status import author_of, registered, version_status

_LINEAGE = {
    "Files": DIGEST,
    "Specification": "slipway.spec_digest",
    "Data": "slipway.data_digest",
    "Own code": "slipway.code_digest",
    "Locked dependencies": "slipway.lock_digest",
    "Git commit": "slipway.git_commit",
}


def version_page(
    client: MlflowClient, name: str, number: int, visitor: Visitor, comparisons: Comparisons, rows: Sequence[LedgerRow]
) -> VersionPage:
    """Return the facts of the page of a version. Raises UnknownName when there is no such model or version.

    rows: the entries of the model's ledger, as the index knows them.
    """
    goal_of(client, name)
    version, ledger = get_version(client, name, number), ledger_of(client, name)
    entries = entries_on(ledger, number, rows)
    served = served_beside(client, name, number)
    live = served.version if served and served.live else None
    stands = {stage: _eligibility(version, stage, served, entries) for stage in HELD_STAGES}
    run, judged = _run(client, version), _judged(entries)
    at = Position(name, number, version.stage, author_of(version), live, _rollback_target(rows))
    page = VersionPage(
        name=name,
        column=version.stage,
        version=version_status(version, [entry.transition for entry in entries]),
        created=registered(version),
        author=author_of(version),
        stage_gates=tuple(_stage_gates(ledger, each, entries) for each in reversed(stands.values())),
        buttons=buttons(at, stands, visitor, comparisons.approval_asked(version.run_id if run else "")),
        lineage=_lineage(version, judged),
        links=_links(version, run),
        thread=thread_of(entries),
    )
    return comparisons.shown_on(page, version.run_id if run else "", judged)


def figure(
    client: MlflowClient, name: str, number: int, key: str, wanted: str, comparisons: Comparisons
) -> bytes | None:
    """Return a figure of a version's page as PNG; None where there is none.

    key: the `AnswersCompared.key` of the page. wanted: the figure's name.
    """
    version = get_version(client, name, number)
    ledger = ledger_of(client, name)
    judged = ledger.entry_of(key) if ledger else None
    if judged is None or judged.transition.version != number:
        return None
    return comparisons.figure(judged, version.run_id, wanted)


def _eligibility(version: Version, stage: Stage, served: ServedBeside | None, entries: list[Entry]) -> Eligibility:
    transitions = [entry.transition for entry in entries]
    return eligibility(version.name, version.number, stage, version.tags.get(DIGEST, ""), served, transitions)


def _stage_gates(ledger: Ledger | None, stands: Eligibility, entries: list[Entry]) -> StageGates:
    judgement = stands.judgement
    if judgement is None:
        return StageGates(stands.stage)
    run = next((ledger_run(ledger, entry) for entry in entries if entry.transition is judgement), "")
    verdicts = tuple(verdict for verdict in stands.verdicts if verdict.gate != ELIGIBILITY)
    return StageGates(stands.stage, verdicts, stands.problems, judgement.at, judgement.by, judgement.evidence, run)


def _judged(entries: list[Entry]) -> Entry | None:
    """Return the entry that keeps the evidence of the newest judgement: one before Production, where there is one.

    A judgement before Production compares with the champion. A promotion by an older judgement names the evidence of that
    judgement, but the files lie with the entry that named the evidence first.
    """
    judgements = [e for e in entries if e.transition.evidence and e.transition.action.judges]
    for_production = [e for e in judgements if e.transition.stage is Stage.PRODUCTION]
    newest = (for_production or judgements)[-1:]
    return next((e for e in judgements for last in newest if e.transition.evidence == last.transition.evidence), None)


def _rollback_target(rows: Sequence[LedgerRow]) -> int | None:
    return before_production([row.transition for row in rows if row.transition.action.moves])


def _run(client: MlflowClient, version: Version) -> Run | None:
    try:
        return client.get_run(version.run_id) if version.run_id else None
    except MlflowException as error:
        if not is_absent(error):
            raise
        return None


def _lineage(version: Version, judged: Entry | None) -> dict[str, str]:
    facts = {label: version.tags[tag] for label, tag in _LINEAGE.items() if version.tags.get(tag)}
    if version.tags.get("slipway.git_dirty") == "true":
        facts["Uncommitted changes"] = "yes"
    return facts | ({"Judged evidence": judged.transition.evidence} if judged else {})


def _links(version: Version, run: Run | None) -> dict[str, str]:
    links = {"model version": f"#/models/{quote(version.name)}/versions/{version.number}"}
    if run:
        links["run"] = f"#/{runs_page(run.info.experiment_id, f'/{run.info.run_id}?')}"
        links["experiment"] = f"#/{runs_page(run.info.experiment_id, '?')}"
    return links
