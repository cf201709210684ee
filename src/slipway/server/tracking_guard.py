"""Runs and experiments as MLflow's endpoints see them: no request writes to a ledger, nor to the run behind a version."""

import functools
import inspect
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Any

from mlflow.entities import RunStatus, RunTag
from mlflow.store.tracking.dbmodels.models import SqlExperiment, SqlLoggedModel, SqlRun
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

from slipway.registry.trust import MADE_BY
from slipway.server.registry_guard import refuse
from slipway.server.reserved_names import decoded, is_ledger, is_model, is_ours, owners
from slipway.server.version_sources import Origin, made_by, origins

_AT_ONCE = 500  # ids in one question to a database
_REMEMBERED = 100_000  # a search asks thousands of times for the same runs


class GuardedTracking(SqlAlchemyStore):  # type: ignore[misc]
    """MLflow's runs, in which everybody may read the ledgers and no request may write to one."""

    def __init__(
        self, uri: str, artifact_root: str, registry: Callable[[], Any], user: Callable[[], str | None] = lambda: None
    ) -> None:
        """Open the store.

        Args:
            uri: the address of the database.
            artifact_root: the folder of new experiments.
            registry: returns the store of the registered versions.
            user: returns the user of the present request; None where users do not log in.
        """
        self._registry = registry
        self._user = user
        # No run changes its experiment, and no experiment becomes a ledger or stops being one: see `rename_experiment`.
        self._is_of_ledger = functools.lru_cache(_REMEMBERED)(self._look_up)
        super().__init__(uri, artifact_root)

    def create_experiment(self, name: str, artifact_location: str | None = None, tags: Any = None) -> str:
        if is_ledger(name) and (artifact_location or tags):
            refuse(f"'{name}' is a ledger: Slipway keeps it, where the server's artifacts are")
        for owner in owners(decoded(artifact_location or "")):
            kind = "model" if is_model(owner) else "run"
            with suppress(LookupError):
                self._look_up(kind, owner)
                refuse(
                    f"'{artifact_location}' is in the folder of {kind} {owner}; an experiment keeps its artifacts elsewhere"
                )
        return str(super().create_experiment(name, artifact_location, tags))

    def create_run(
        self, experiment_id: str, user_id: str, start_time: int, tags: Sequence[RunTag], *more: Any, **named: Any
    ) -> Any:
        """Make a run; where users log in, it says who made it, whatever its other tags say."""
        self.require_no_ledger("experiment", experiment_id)
        _require_not_the_maker(tag.key for tag in tags or ())
        user = self._user()
        made_by = [RunTag(MADE_BY, user)] if user else []
        return super().create_run(experiment_id, user_id, start_time, [*(tags or ()), *made_by], *more, **named)

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
        """Refuse to write to an experiment, run or model of a ledger. One that does not exist is left to MLflow to answer."""
        with suppress(LookupError):
            if self._is_of_ledger(kind, str(id_)):
                refuse(
                    f"this {kind} is of a ledger: only Slipway's own server writes there; `slipway history` reads it"
                )

    def require_no_version(self, kind: str, id_: str) -> None:
        """Refuse to change the run or logged model behind a registered version, or an experiment that holds one of these."""
        origin = self._made_in(id_) if kind == "experiment" else made_by(self._registry(), id_)
        if origin is not None:
            refuse(f"{origin.name} version {origin.version} was made by this {kind}, which stays as it was registered")

    def update_run_info(self, run_id: str, run_status: Any, end_time: int | None, run_name: str | None) -> Any:
        """End a run or change its name. Once a registered run has ended, its status and end time stay.

        The same status may be set again, as `mlflow run` does after the run that it started. A run may be registered before
        it ends.
        """
        self.require_no_ledger("run", run_id)
        present = self.get_run(run_id).info
        if RunStatus.is_terminated(RunStatus.from_string(present.status)):
            if run_status is not None and RunStatus.to_string(run_status) != present.status:
                self.require_no_version("run", run_id)
            elif end_time is not None and made_by(self._registry(), run_id):
                end_time = None
        return super().update_run_info(run_id, run_status, end_time, run_name)

    def log_metric(self, run_id: str, metric: Any) -> None:
        self._require_free(run_id)
        self._require_free_models([metric])
        super().log_metric(run_id, metric)

    def log_batch(self, run_id: str, metrics: Any, params: Any, tags: Any) -> None:
        _require_not_the_maker(tag.key for tag in tags or ())
        self._require_free(run_id, [] if metrics or params else [tag.key for tag in tags])
        self._require_free_models(metrics)
        super().log_batch(run_id, metrics, params, tags)

    def set_tag(self, run_id: str, tag: Any) -> None:
        _require_not_the_maker([tag.key])
        self._require_free(run_id, [tag.key])
        super().set_tag(run_id, tag)

    def delete_tag(self, run_id: str, key: str) -> None:
        _require_not_the_maker([key])
        self._require_free(run_id, [key])
        super().delete_tag(run_id, key)

    def _require_free(self, run_id: str, tags: Sequence[str] = ()) -> None:
        """Refuse to write to a run of a ledger, and to a run of a version unless only tags of other people are written."""
        self.require_no_ledger("run", run_id)
        if not tags or any(map(is_ours, tags)):
            self.require_no_version("run", run_id)

    def _require_free_models(self, metrics: Any) -> None:
        """Refuse metrics of a logged model that belongs to a version or a ledger: any run may log metrics of any model."""
        for model in {metric.model_id for metric in metrics if metric.model_id}:
            self.require_no_ledger("model", model)
            self.require_no_version("model", model)

    def _made_in(self, experiment_id: str) -> Origin | None:
        """Return a version whose run or model is in an experiment; None where there is none."""
        experiment = _number(experiment_id)
        by_id = {id_: each for each in origins(self._registry()) for id_ in each.ids}
        ids = list(by_id)
        with self.ManagedSessionMaker(read_only=False) as session:
            for some in (ids[at : at + _AT_ONCE] for at in range(0, len(ids), _AT_ONCE)):
                for table, id_ in ((SqlRun, SqlRun.run_uuid), (SqlLoggedModel, SqlLoggedModel.model_id)):
                    if row := session.query(id_).filter(table.experiment_id == experiment, id_.in_(some)).first():
                        return by_id[row[0]]
        return None

    def _look_up(self, kind: str, id_: str) -> bool:
        with self.ManagedSessionMaker(read_only=False) as session:
            query = session.query(SqlExperiment.name)
            if kind == "run":
                query = query.join(SqlRun, SqlRun.experiment_id == SqlExperiment.experiment_id)
                query = query.filter(SqlRun.run_uuid == id_)
            elif kind == "model":
                query = query.join(SqlLoggedModel, SqlLoggedModel.experiment_id == SqlExperiment.experiment_id)
                query = query.filter(SqlLoggedModel.model_id == id_)
            else:
                query = query.filter(SqlExperiment.experiment_id == _number(id_))
            row = query.first()
        if row is None:
            raise LookupError(id_)
        return is_ledger(row[0])


# Every other method of the store that writes to an experiment, a run or a model, by the argument that has its id.
WRITES = {
    "experiment_id": (
        "experiment",
        "delete_experiment restore_experiment set_experiment_tag delete_experiment_tag create_logged_model "
        "deprecated_start_trace_v2 register_scorer delete_scorer create_issue create_label_schema create_review_queue "
        "get_or_create_user_queue upsert_online_scoring_config delete_traces create_gateway_endpoint update_gateway_endpoint",
    ),
    "experiment_ids": ("experiment", "create_dataset add_dataset_to_experiments remove_dataset_from_experiments"),
    "location": ("experiment", "log_spans"),
    "run_id": (
        "run",
        "delete_run restore_run log_param log_inputs log_outputs record_logged_model link_traces_to_run "
        "unlink_traces_from_run",
    ),
    "model_id": (
        "model",
        "finalize_logged_model delete_logged_model set_logged_model_tags delete_logged_model_tag log_logged_model_params",
    ),
}


FROZEN = (
    "delete_run log_param log_inputs log_outputs record_logged_model delete_logged_model finalize_logged_model "
    "log_logged_model_params delete_experiment"
)
"""The methods among WRITES that change a run, model or experiment behind a registered version."""


def _require_not_the_maker(tags: Iterable[str]) -> None:
    for key in tags:
        if key.strip().casefold() == MADE_BY:
            refuse(f"the tag '{MADE_BY}' says who made a run, as this server saw it: no client sets or changes it")


def _number(experiment_id: str) -> int:
    """Read the id of an experiment as MLflow does, which takes ` +07` for 7, and nothing for the default one."""
    try:
        return int(experiment_id or SqlAlchemyStore.DEFAULT_EXPERIMENT_ID)
    except ValueError:
        return -1


def _guarded(method: Callable[..., Any], kind: str, argument: str) -> Callable[..., Any]:
    signature = inspect.signature(method)

    @functools.wraps(method)
    def guarded(self: GuardedTracking, *given: Any, **named: Any) -> Any:
        ids = signature.bind(self, *given, **named).arguments.get(argument)
        for id_ in [ids] if ids is None or isinstance(ids, str | int) else ids:
            self.require_no_ledger(kind, str(id_ or ""))
            if method.__name__ in FROZEN.split():
                self.require_no_version(kind, str(id_ or ""))
        return method(self, *given, **named)

    return guarded


for _argument, (_kind, _methods) in WRITES.items():
    for _name in _methods.split():
        setattr(GuardedTracking, _name, _guarded(getattr(SqlAlchemyStore, _name), _kind, _argument))
