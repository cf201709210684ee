"""The ledgers of all models, by few queries, whatever their number."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from mlflow.store.tracking.dbmodels.models import SqlExperiment, SqlExperimentTag, SqlRun, SqlTag
from sqlalchemy import and_, func, or_

from slipway.core.release.transitions import APPROVAL
from slipway.registry.ledger import COMPLETE, ENTRY, HEAD, LEDGER_SUFFIX, SEAL
from slipway.registry.ledger_tags import ACTION, GATE, NUMBERS, TAGS, transition_of_tags, verdicts_of_tags
from slipway.server.tables._batches import batches
from slipway.workflows.board.index import LedgerHead, LedgerRow

# A list shows the beginning of a comment; ledgers of thousands of entries are kept in memory so.
_CHARACTERS = 300
_ACTIVE = "active"


class LedgerTables:
    """The tables of the ledgers. store: returns MLflow's store of the runs."""

    def __init__(self, store: Callable[[], Any]) -> None:
        self._store = store

    def heads(self) -> dict[str, LedgerHead]:
        """Return the head of each ledger, by model. An entry that is written changes the head of its ledger."""
        of_it = and_(SqlExperimentTag.experiment_id == SqlExperiment.experiment_id, SqlExperimentTag.key == HEAD)
        with self._store().ManagedSessionMaker(read_only=False) as session:
            rows = session.query(SqlExperiment.name, SqlExperiment.experiment_id, SqlExperimentTag.value)
            rows = rows.outerjoin(SqlExperimentTag, of_it).filter(
                SqlExperiment.name.endswith(LEDGER_SUFFIX), SqlExperiment.lifecycle_stage == _ACTIVE
            )
            return {
                name.removesuffix(LEDGER_SUFFIX): LedgerHead(number, head or "")
                for name, number, head in rows
                if name.endswith(LEDGER_SUFFIX)  # some databases compare without case
            }

    def rows(
        self, names: Mapping[int, str], known: Callable[[int], Mapping[str, LedgerRow]]
    ) -> dict[int, list[LedgerRow]]:
        """Return all entries of some ledgers, oldest first, by experiment; only those not known as closed are read.

        Args:
            names: the models by the experiments of their ledgers.
            known: returns the rows of a ledger that were read before, by run.
        """
        found: dict[int, list[LedgerRow | None]] = defaultdict(list)
        missing: dict[str, tuple[int, int]] = {}
        ends: dict[str, tuple[int, bool]] = {}
        with self._store().ManagedSessionMaker(read_only=False) as session:
            before = {experiment: known(experiment) for experiment in names}
            for run, experiment, at_ms, status in self._runs(session, names):
                row = before[experiment].get(run)
                if row is None or not row.closed:
                    missing[run] = experiment, len(found[experiment])
                    ends[run] = at_ms, status == COMPLETE
                found[experiment].append(row)
            for run, tags in self._tags(session, missing):
                if ACTION not in tags:
                    continue  # a run that was put there past Slipway is no entry
                experiment, place = missing[run]
                at_ms, complete = ends[run]
                transition = transition_of_tags(names[experiment], tags, at_ms, complete=complete)
                closed = SEAL in tags or (ENTRY not in tags)  # an entry of a time before hashes has no seal
                found[experiment][place] = LedgerRow(run, transition, closed)
        return {experiment: [row for row in rows if row] for experiment, rows in found.items()}

    def with_verdicts(self, rows: Iterable[LedgerRow]) -> dict[str, LedgerRow]:
        """Return entries with their verdicts, by run; of the numbers only those on approval."""
        by_run = {row.run_id: row for row in rows}
        given: dict[str, dict[str, str]] = defaultdict(dict)
        with self._store().ManagedSessionMaker(read_only=False) as session:
            for some in batches(by_run):
                tags = session.query(SqlTag.run_uuid, SqlTag.key, func.substr(SqlTag.value, 1, _CHARACTERS)).filter(
                    SqlTag.run_uuid.in_(some),
                    or_(SqlTag.key.startswith(GATE), SqlTag.key == f"{NUMBERS}{APPROVAL}"),
                )
                for run, key, value in tags:
                    given[run][key] = value
        return {run: _judged(row, given[run]) for run, row in by_run.items()}

    @staticmethod
    def _runs(session: Any, experiments: Iterable[int]) -> list[tuple[str, int, int, str]]:
        found: list[tuple[str, int, int, str]] = []
        of_each = SqlRun.run_uuid, SqlRun.experiment_id, SqlRun.start_time, SqlRun.status
        for some in batches(experiments):
            runs = session.query(*of_each).filter(SqlRun.experiment_id.in_(some), SqlRun.lifecycle_stage == _ACTIVE)
            # The order of `Ledger.entries`, so that two entries of one millisecond stand in the same order.
            found += runs.order_by(SqlRun.start_time, SqlRun.run_uuid.desc())
        return found

    @staticmethod
    def _tags(session: Any, runs: Iterable[str]) -> Iterable[tuple[str, dict[str, str]]]:
        for some in batches(runs):
            found: dict[str, dict[str, str]] = defaultdict(dict)
            tags = session.query(SqlTag.run_uuid, SqlTag.key, func.substr(SqlTag.value, 1, _CHARACTERS))
            for run, key, value in tags.filter(SqlTag.run_uuid.in_(some), SqlTag.key.in_((*TAGS, ENTRY, SEAL))):
                found[run][key] = value or ""
            yield from found.items()


def _judged(row: LedgerRow, tags: Mapping[str, str]) -> LedgerRow:
    return replace(row, transition=replace(row.transition, verdicts=verdicts_of_tags(tags)))
