"""The facts of the board's page of one model, gathered with few requests. Nothing is written."""

from collections.abc import Sequence
from datetime import UTC, datetime
from urllib.parse import quote

from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from slipway.core.release.ledger import Entry, verify
from slipway.core.release.policies import Policies
from slipway.errors import Refusal, UnknownName
from slipway.registry.absent import is_absent
from slipway.registry.demands.policy import policies_of
from slipway.registry.ledger import Ledger, ledger_of
from slipway.registry.mutex import model_names
from slipway.registry.versions import list_versions
from slipway.reports.board import LedgerCheck, LedgerLine, ModelLine, ModelPage
from slipway.tracking.client import runs_page
from slipway.tracking.runs import view_query
from slipway.workflows.board.index import LedgerRow, ModelFacts
from slipway.workflows.board.listing import stage_columns

LINES_A_PAGE = 25
VERIFIED_AT_ONCE = 200
"""A ledger of up to so many entries is verified without being asked."""
_READINGS = 2


def model_page(
    client: MlflowClient,
    name: str,
    known: tuple[ModelFacts | None, Sequence[LedgerRow]],
    until_ms: int | None = None,
) -> ModelPage:
    """Return the facts of the page of a model. Raises UnknownName when no such model is registered.

    Args:
        client: a client of the registry.
        name: the registered model.
        known: the model, None for one that is not registered, and the entries of its ledger, as the index knows them.
        until_ms: the time (Unix milliseconds) of the newest entry to list; None for the newest of all.
    """
    (facts, rows), goal, ledger = known, goal_of(client, name), ledger_of(client, name)
    listed = _newest(ledger, until_ms)[::-1]
    lines, older = listed[:LINES_A_PAGE], listed[LINES_A_PAGE:]
    return ModelPage(
        model=ModelLine(name, stage_columns(facts.versions if facts else ()), goal),
        lines=tuple(LedgerLine(entry.transition, ledger_run(ledger, entry)) for entry in lines),
        older=older[0].transition.at_ms if older else None,
        newest=until_ms is None,
        links=_links(client, name, ledger),
        policies=_policies(ledger, rows),
    )


def _policies(ledger: Ledger | None, rows: Sequence[LedgerRow]) -> Policies | None:
    """Return the release policies of a model, asked of the store where there are any; None where one was altered."""
    if not any(row.transition.of_policy for row in rows):
        return Policies()
    try:
        return policies_of(ledger)
    except Refusal:
        return None


def verified_now(client: MlflowClient, name: str) -> LedgerCheck:
    """Verify a ledger as `slipway history --verify` does.

    An entry that is written meanwhile does not fit the entries that were read before it, so the ledger is read again then.
    """
    ledger, at = ledger_of(client, name), datetime.now(UTC)
    if ledger is None:
        return LedgerCheck(at, 0, "")
    for _ in range(_READINGS):
        head, entries = ledger.head, ledger.entries()
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


def ledger_run(ledger: Ledger | None, entry: Entry) -> str:
    """Return the address of an entry's run, below MLflow's UI."""
    return f"#/{runs_page(ledger.experiment, f'/{entry.run_id}?')}" if ledger else ""


def _newest(ledger: Ledger | None, until_ms: int | None) -> list[Entry]:
    where = "" if until_ms is None else f"attributes.start_time <= {until_ms}"
    return ledger.entries(LINES_A_PAGE + 1, where) if ledger else []


def _links(client: MlflowClient, name: str, ledger: Ledger | None) -> dict[str, str]:
    searches = client.get_experiment_by_name(name)
    links = {"registered model": f"#/models/{quote(name)}"}
    if searches:
        links["experiment"] = f"#/{runs_page(searches.experiment_id, f'?{view_query(searches.tags)}')}"
    if ledger:
        links["ledger"] = f"#/{runs_page(ledger.experiment, '?')}"
    return links
