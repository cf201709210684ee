"""Runs and experiments as endpoints see them: ledgers are Slipway's, and what versions were made by stays as it was."""

import functools
import inspect
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from mlflow.entities.model_registry.model_version_stages import STAGE_DELETED_INTERNAL
from mlflow.store.model_registry.dbmodels.models import SqlModelVersion, SqlModelVersionTag
from mlflow.store.tracking.dbmodels.models import SqlExperiment, SqlLoggedModel, SqlRun
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore
from sqlalchemy import and_

from slipway.registry.trust import DIGEST
from slipway.server.registry_guard import refuse
from slipway.server.rules import is_ledger, is_ours

_REMEMBERED = 100_000  # a search asks thousands of times for the same runs


class GuardedTracking(SqlAlchemyStore):  # type: ignore[misc]
    """MLflow's runs, where the ledgers can be read by everybody and written by nobody who comes through an endpoint."""

    def __init__(self, uri: str, artifact_root: str) -> None:
        # No run changes its experiment, and no experiment becomes a ledger or stops being one: see `rename_experiment`.
        self._is_of_ledger = functools.lru_cache(_REMEMBERED)(self._look_up)
        super().__init__(uri, artifact_root)

    def create_experiment(self, name: str, artifact_location: str | None = None, tags: Any = None) -> str:
        if is_ledger(name) and (artifact_location or tags):
            refuse(f"'{name}' is a ledger: Slipway keeps it, where the server's artifacts are")
        return str(super().create_experiment(name, artifact_location, tags))

    def rename_experiment(self, experiment_id: str, new_name: str) -> None:
        self.require_no_ledger("experiment", experiment_id)
        if is_ledger(new_name):
            refuse(f"'{new_name}' would be a ledger: only Slipway makes one")
        super().rename_experiment(experiment_id, new_name)

    def start_trace(self, trace_info: Any) -> Any:
        if trace_info.experiment_id:
            self.require_no_ledger("experiment", trace_info.experiment_id)
        return super().start_trace(trace_info)

    def require_no_ledger(self, kind: str, id_: str) -> None:
        """Refuse to write to an experiment, run or model that is of a ledger. What does not exist is MLflow's to answer."""
        with suppress(LookupError):
            if self._is_of_ledger(kind, str(id_)):
                refuse(
                    f"this {kind} is of a ledger: only Slipway's own server writes there; `slipway history` reads it"
                )

    def require_no_version(self, kind: str, id_: str) -> None:
        """Refuse to change what a registered version was made by and is read by: its run, its model, their experiment."""
        with self.ManagedSessionMaker(read_only=False) as session:
            tagged = and_(
                SqlModelVersionTag.name == SqlModelVersion.name,
                SqlModelVersionTag.version == SqlModelVersion.version,
                SqlModelVersionTag.key == DIGEST,
            )
            asked = session.query(SqlModelVersion.name, SqlModelVersion.version).join(SqlModelVersionTag, tagged)
            asked = asked.filter(SqlModelVersion.current_stage != STAGE_DELETED_INTERNAL)
            if kind == "run":
                asked = asked.filter(SqlModelVersion.run_id == id_)
            elif kind == "model":
                asked = asked.filter(SqlModelVersion.source == f"models:/{id_}")
            else:
                asked = asked.join(SqlRun, SqlRun.run_uuid == SqlModelVersion.run_id)
                asked = asked.filter(SqlRun.experiment_id == (int(id_) if id_.isdecimal() else -1))
            found = asked.first()
        if found is not None:
            refuse(f"{found[0]} version {found[1]} was made by this {kind}, which stays as it was registered")

    def set_tag(self, run_id: str, tag: Any) -> None:
        self.require_no_ledger("run", run_id)
        if is_ours(tag.key):
            self.require_no_version("run", run_id)
        super().set_tag(run_id, tag)

    def delete_tag(self, run_id: str, key: str) -> None:
        self.require_no_ledger("run", run_id)
        if is_ours(key):
            self.require_no_version("run", run_id)
        super().delete_tag(run_id, key)

    def _look_up(self, kind: str, id_: str) -> bool:
        with self.ManagedSessionMaker(read_only=False) as session:
            asked = session.query(SqlExperiment.name)
            if kind == "run":
                asked = asked.join(SqlRun, SqlRun.experiment_id == SqlExperiment.experiment_id)
                asked = asked.filter(SqlRun.run_uuid == id_)
            elif kind == "model":
                asked = asked.join(SqlLoggedModel, SqlLoggedModel.experiment_id == SqlExperiment.experiment_id)
                asked = asked.filter(SqlLoggedModel.model_id == id_)
            else:
                asked = asked.filter(SqlExperiment.experiment_id == (int(id_) if id_.isdecimal() else -1))
            found = asked.first()
        if found is None:
            raise LookupError(id_)
        return is_ledger(found[0])


# Every method of the store that writes to an experiment, a run or a model, by the argument that says which.
WRITES = {
    "experiment_id": (
        "experiment",
        "delete_experiment restore_experiment set_experiment_tag delete_experiment_tag create_run create_logged_model "
        "deprecated_start_trace_v2 register_scorer delete_scorer create_issue create_label_schema create_review_queue "
        "get_or_create_user_queue upsert_online_scoring_config delete_traces",
    ),
    "location": ("experiment", "log_spans"),
    "run_id": (
        "run",
        "update_run_info delete_run restore_run log_batch log_metric log_param log_inputs log_outputs "
        "record_logged_model link_traces_to_run unlink_traces_from_run",
    ),
    "model_id": (
        "model",
        "finalize_logged_model delete_logged_model set_logged_model_tags delete_logged_model_tag log_logged_model_params",
    ),
}


FROZEN = frozenset({"delete_run", "log_batch", "log_metric", "log_param", "delete_logged_model", "delete_experiment"})
"""Of these, what changes a run, model or experiment that a registered version was made by."""


def _guarded(method: Callable[..., Any], kind: str, argument: str) -> Callable[..., Any]:
    place = list(inspect.signature(method).parameters).index(argument) - 1

    @functools.wraps(method)
    def guarded(self: GuardedTracking, *given: Any, **named: Any) -> Any:
        id_ = named[argument] if argument in named else given[place]
        self.require_no_ledger(kind, id_)
        if method.__name__ in FROZEN:
            self.require_no_version(kind, str(id_))
        return method(self, *given, **named)

    return guarded


for _argument, (_kind, _methods) in WRITES.items():
    for _name in _methods.split():
        setattr(GuardedTracking, _name, _guarded(getattr(SqlAlchemyStore, _name), _kind, _argument))
