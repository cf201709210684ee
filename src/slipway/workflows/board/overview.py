"""The facts of the board's page of one model, gathered with few requests. Nothing is written."""

from collections.abc import Sequence
from datetime import UTC, datetime
from urllib.parse import quote

from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from slipway.core.release.ledger import Entry, verify
from slipway.errors import UnknownName
from slipway.registry.absent import is_absent
from slipway.registry.ledger import Ledger, ledger_of
from slipway.registry.mutex import model_names
from slipway.registry.versions import Version, list_versions
from slipway.reports.board import ORDER, LedgerCheck, LedgerLine, ModelLine, ModelPage, StageColumn, VersionStatus
from slipway.tracking.client import runs_page
from slipway.types import HELD_STAGES
from slipway.workflows.board.status import version_status

LINES_A_PAGE = 25
# The newest entries cover most of what is shown. A version in Staging or Production that they miss takes a request more.
_NEWEST_OF_A_MODEL, _OF_A_VERSION = 150, 20
VERIFIED_AT_ONCE = 500
_READINGS = 2


def model_page(client: MlflowClient, name: str, until_ms: int | None = None) -> ModelPage:
    """Return the facts of the page of a model. Raises UnknownName when no such model is registered.

    until_ms: the time (Unix milliseconds) of the newest entry to list; None for the newest of all.
    """
    goal, ledger = goal_of(client, name), ledger_of(client, name)
    newest = _newest(ledger, _NEWEST_OF_A_MODEL)
    listed = newest if until_ms is None else _until(ledger, until_ms)
    lines, older = listed[::-1][:LINES_A_PAGE], listed[::-1][LINES_A_PAGE:]
    return ModelPage(
        model=ModelLine(name, _stage_columns(ledger, list_versions(client, name), newest, _NEWEST_OF_A_MODEL), goal),
        lines=tuple(LedgerLine(entry.transition, ledger_run(ledger, entry)) for entry in lines),
        older=older[0].transition.at_ms if older else None,
        newest=until_ms is None,
        links=_links(client, name, ledger),
    )


def verified_now(client: MlflowClient, name: str, most: int | None = None) -> LedgerCheck | None:
    """Verify a ledger as `slipway history --verify` does; return None when the ledger has more than `most` entries.

    An entry that is written meanwhile does not fit the entries that were read before it, so the ledger is read again then.
    """
    ledger, at = ledger_of(client, name), datetime.now(UTC)
    if ledger is None:
        return LedgerCheck(at, 0, "")
    for _ in range(_READINGS):
        head, entries = ledger.head, ledger.entries(most + 1 if most else None)
        if most and len(entries) > most:
            return None
        stages = {version.number: version.stage for version in list_versions(client, name)}
        findings = tuple(verify(entries, stages, head))
        if not findings or ledger.head == head:
            break
    return LedgerCheck(at, len(entries), head, findings)


def goal_of(client: MlflowClient, name: str) -> str:
    """Return the description of a registered model. Raises UnknownName when no such model is registered."""
    try:
        return str(client.get_registered_model(name).description or "")
    except MlflowException as error:
        if not is_absent(error, or_malformed=True):
            raise
    raise UnknownName("registered model", name, model_names(client))


def entries_of(ledger: Ledger | None, version: int, most: int) -> list[Entry]:
    """Return the newest entries of one version, oldest first."""
    return ledger.entries(most, f"tags.`slipway.version` = '{version}'") if ledger else []


def ledger_run(ledger: Ledger | None, entry: Entry) -> str:
    """Return the address of an entry's run, below MLflow's UI."""
    return f"#/{runs_page(ledger.experiment, f'/{entry.run_id}?')}" if ledger else ""


def _newest(ledger: Ledger | None, most: int) -> list[Entry]:
    return ledger.entries(most) if ledger else []


def _until(ledger: Ledger | None, until_ms: int) -> list[Entry]:
    return ledger.entries(LINES_A_PAGE + 1, f"attributes.start_time <= {until_ms}") if ledger else []


def _stage_columns(
    ledger: Ledger | None, versions: Sequence[Version], newest: Sequence[Entry], read: int
) -> tuple[StageColumn, ...]:
    """Return the stage columns, with the status of each version.

    Args:
        ledger: the model's ledger; None where nothing was ever written.
        versions: the model's versions.
        newest: the newest entries of the ledger, oldest first.
        read: how many entries were asked for; fewer in `newest` mean that these are all.
    """
    transitions = [entry.transition for entry in newest]
    columns = []
    for stage in ORDER:
        here = [version for version in versions if version.stage is stage]
        statuses = [version_status(version, transitions, all_of_them=len(newest) < read) for version in here]
        if stage in HELD_STAGES:
            statuses = [
                each if each.told else _status_by_own_entries(ledger, version)
                for each, version in zip(statuses, here, strict=False)
            ]
        columns.append(StageColumn(stage, tuple(statuses)))
    return tuple(columns)


def _status_by_own_entries(ledger: Ledger | None, version: Version) -> VersionStatus:
    return version_status(version, [entry.transition for entry in entries_of(ledger, version.number, _OF_A_VERSION)])


def _links(client: MlflowClient, name: str, ledger: Ledger | None) -> dict[str, str]:
    searches = client.get_experiment_by_name(name)
    links = {"registered model": f"#/models/{quote(name)}"}
    if searches:
        links["experiment"] = f"#/{runs_page(searches.experiment_id, '?')}"
    if ledger:
        links["ledger"] = f"#/{runs_page(ledger.experiment, '?')}"
    return links
