"""The facts of the board's page of one version, which a reviewer reads before pressing a button."""

from urllib.parse import quote

from mlflow import MlflowClient
from mlflow.entities import Run
from mlflow.exceptions import MlflowException

from slipway.core.release.judgement import ELIGIBILITY, Eligibility, eligibility
from slipway.core.release.ledger import Entry
from slipway.core.release.transitions import Action, ServedBeside, before_production
from slipway.registry.absent import is_absent
from slipway.registry.eligibility import deciding_entries, served_beside
from slipway.registry.ledger import Ledger, ledger_of
from slipway.registry.trust import DIGEST
from slipway.registry.versions import Version, get_version
from slipway.reports.board import SAYINGS, StageGates, Thread, VersionPage, Visitor
from slipway.tracking.client import runs_page
from slipway.types import HELD_STAGES, Stage
from slipway.workflows.board.buttons import Position, buttons
from slipway.workflows.board.comparison import Comparisons
from slipway.workflows.board.overview import entries_of, goal_of, ledger_run
from slipway.workflows.board.status import author_of, registered, version_status

# Entries of one version, and transitions of all: the version that a rollback returns to is among the newest of these.
_ENTRIES, _MOVES = 100, 100
_IS_A_MOVE = " and ".join(f"tags.`slipway.action` != '{action}'" for action in Action if not action.moves)
_LINEAGE = {
    "Files": DIGEST,
    "Specification": "slipway.spec_digest",
    "Data": "slipway.data_digest",
    "Own code": "slipway.code_digest",
    "Locked dependencies": "slipway.lock_digest",
    "Git commit": "slipway.git_commit",
}


def version_page(
    client: MlflowClient, name: str, number: int, visitor: Visitor, comparisons: Comparisons
) -> VersionPage:
    """Return the facts of the page of a version. Raises UnknownName when there is no such model or version."""
    goal_of(client, name)
    version, ledger = get_version(client, name, number), ledger_of(client, name)
    newest = entries_of(ledger, number, _ENTRIES)
    entries = _with_deciding(ledger, number, newest)
    served = served_beside(client, name, number)
    live = served.version if served and served.live else None
    stands = {stage: _eligibility(version, stage, served, entries) for stage in HELD_STAGES}
    run, judged = _run(client, version), _judged(entries)
    at = Position(name, number, version.stage, author_of(version), live, _rollback_target(ledger))
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
        thread=_thread(newest),
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
    entries = _with_deciding(ledger, number, entries_of(ledger, number, _ENTRIES))
    judged = next((entry for entry in entries if entry.run_id == key), None)
    return comparisons.figure(judged, version.run_id, wanted) if judged else None


def _with_deciding(ledger: Ledger | None, number: int, newest: list[Entry]) -> list[Entry]:
    """Return the newest entries of a version with those that decide on it, which may be older where there are many."""
    if ledger is None or len(newest) < _ENTRIES:
        return newest
    deciding = [entry for stage in HELD_STAGES for entry in deciding_entries(ledger, number, stage)]
    by_run = {entry.run_id: entry for entry in (*deciding, *newest)}
    return sorted(by_run.values(), key=lambda entry: entry.transition.at_ms)


def _thread(newest: list[Entry]) -> Thread:
    said = [entry.transition for entry in newest if entry.transition.action in SAYINGS and entry.transition.complete]
    return Thread(tuple(said), older=len(newest) >= _ENTRIES)


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


def _rollback_target(ledger: Ledger | None) -> int | None:
    moves = ledger.entries(_MOVES, _IS_A_MOVE) if ledger else []
    return before_production([entry.transition for entry in moves])


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
