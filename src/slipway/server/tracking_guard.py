"""Runs and experiments as MLflow's endpoints see them: no request writes to a ledger, nor to the run behind a version."""

import functools
import inspect
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Any, NoReturn

from mlflow.entities import RunStatus, RunTag
from mlflow.store.tracking.dbmodels.models import SqlExperiment, SqlLoggedModel, SqlRun
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore
from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID
from sqlalchemy import select

from slipway.core.lookalikes import same_spelling
from slipway.registry.permissions import Right
from slipway.registry.trust import MADE_BY
from slipway.server.identity import People
from slipway.server.own_stores import outside
from slipway.server.registry_guard import refuse
from slipway.server.reserved_names import decoded, is_evidence, is_ledger, is_model, owners, unusable
from slipway.server.version_sources import Origin, kept_with, made_by, model_names, named_in, origins, source_run

_AT_ONCE = 500  # ids in one question to a database
_REMEMBERED = 100_000  # a search asks thousands of times for the same runs


class GuardedTracking(SqlAlchemyStore):  # type: ignore[misc]
    """MLflow's runs, in which everybody may read the ledgers and no request may write to one."""

    def __init__(self, uri: str, artifact_root: str, registry: Callable[[], Any], people: People) -> None:
        """Open the store. registry: returns the store of the registered versions. people: the user of the present request."""
        self._registry = registry
        self._people = people
        # No run changes its experiment, and no experiment becomes a ledger or stops being one: see `rename_experiment`.
        self._is_of_ledger = functools.lru_cache(_REMEMBERED)(self._look_up)
        super().__init__(uri, artifact_root)

    def create_experiment(self, name: str, artifact_location: str | None = None, tags: Any = None) -> str:
        if is_ledger(name) and (artifact_location or tags):
            refuse(f"'{name}' is a ledger: Slipway keeps it, where the server's artifacts are")
        if artifact_location:
            self._require_free_place(artifact_location)
        self._require_own_name(name)
        return str(super().create_experiment(name, artifact_location, tags))

    def rename_experiment(self, experiment_id: str, new_name: str) -> None:
        self.require_no_ledger("experiment", experiment_id)
        if is_ledger(new_name):
            refuse(f"'{new_name}' would be a ledger: only Slipway makes one")
        self._require_own_name(new_name, _number(experiment_id))
        super().rename_experiment(experiment_id, new_name)

    def _require_free_place(self, artifact_location: str) -> None:
        """Refuse a location outside the artifact root, and one in the folder of a run or model."""
        for owner in owners(decoded(artifact_location)):
            kind = "model" if is_model(owner) else "run"
            with suppress(LookupError):
                self._look_up(kind, owner)
                refuse(
                    f"'{artifact_location}' is in the folder of {kind} {owner}; an experiment keeps its artifacts elsewhere"
                )
        if reason := outside(artifact_location, self.artifact_root_uri):
            refuse(reason)

    def _require_own_name(self, name: str, renamed: int = -1) -> None:
        """Refuse a new name of an experiment that looks like one that stands, or that is a model of somebody else."""
        standing = [other for other, id_ in self.experiments().items() if id_ != renamed]
        models = model_names(self._registry())
        if name not in standing and (reason := unusable("experiment", name, standing, models)):
            refuse(reason)
        if name in models and Right.APPROVE not in self._people.may(name):
            refuse(
                f"'{name}' is a registered model of somebody else: an experiment of its name takes the permission EDIT on the "
                f"model (the role approver), which an admin grants: `slipway user NAME approver --model {name}`"
            )

    def experiments(self) -> dict[str, int]:
        """Return the ids of all experiments by their names, those of deleted ones included."""
        with self.ManagedSessionMaker(read_only=False) as session:
            rows = session.execute(select(SqlExperiment.name, SqlExperiment.experiment_id))
            return {name: int(id_) for name, id_ in rows}

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
        """Refuse to change what a registered version rests on: see `version_of`."""
        if (origin := self.version_of(kind, id_)) is not None:
            _refuse_kept(origin, kind, id_)

    def version_of(self, kind: str, id_: str) -> Origin | None:
        """Return a registered version that rests on a run, a logged model or an experiment; None where there is none.

        A version rests on its run and its logged model, on each run of the same search (trials, baselines, and the search
        that it continues), on each model that is attached to one of these, and on the experiments that hold them.
        """
        if kind == "experiment":
            return self._made_in(id_)
        with self.ManagedSessionMaker(read_only=False) as session:
            runs = [id_] if kind == "run" else source_run(session, id_)
            ids = kept_with(session, runs)
        return made_by(self._registry(), id_, *ids)

    def update_run_info(self, run_id: str, run_status: Any, end_time: int | None, run_name: str | None) -> Any:
        """End a run or change its name. Once a run of a registered search has ended, its status and end time stay.

        The same status may be set again, as `mlflow run` does after the run that it started. A run may be registered before
        it ends. A trial that was cut off may then only be closed as KILLED: one that ends otherwise would count as a trial.
        """
        self.require_no_ledger("run", run_id)
        present = self.get_run(run_id).info
        ended = RunStatus.is_terminated(RunStatus.from_string(present.status))
        changes = run_status is not None and RunStatus.to_string(run_status) != present.status
        origin = self.version_of("run", run_id) if changes or end_time is not None else None
        if origin and changes and (ended or (run_status != RunStatus.KILLED and run_id not in origin.ids)):
            _refuse_kept(origin, "run", run_id)
        if origin and ended:
            end_time = None
        return super().update_run_info(run_id, run_status, end_time, run_name)

    def create_run(self, experiment_id: str, user_id: str, start_time: int, tags: Any, run_name: str) -> Any:
        """Make a run; where users log in, it says who made it, whatever its other tags say."""
        self.require_no_ledger("experiment", experiment_id)
        _require_not_the_maker(tag.key for tag in tags or ())
        self._require_free_parent(tags or ())
        user = self._people.known()
        made_by = [RunTag(MADE_BY, user)] if user else []
        return super().create_run(experiment_id, user_id, start_time, [*(tags or ()), *made_by], run_name)

    def create_logged_model(
        self, experiment_id: str, name: str | None = None, source_run_id: str | None = None, *more: Any, **named: Any
    ) -> Any:
        self.require_no_ledger("experiment", experiment_id)
        if source_run_id:
            self._require_free(source_run_id)
        return super().create_logged_model(experiment_id, name, source_run_id, *more, **named)

    def log_metric(self, run_id: str, metric: Any) -> None:
        self._require_free(run_id)
        self._require_free_models([metric])
        super().log_metric(run_id, metric)

    def log_batch(self, run_id: str, metrics: Any, params: Any, tags: Any) -> None:
        _require_not_the_maker(tag.key for tag in tags or ())
        self._require_free(run_id, [] if metrics or params else [tag.key for tag in tags])
        self._require_free_parent(tags)
        self._require_free_models(metrics)
        super().log_batch(run_id, metrics, params, tags)

    def set_tag(self, run_id: str, tag: Any) -> None:
        _require_not_the_maker([tag.key])
        self._require_free(run_id, [tag.key])
        self._require_free_parent([tag])
        super().set_tag(run_id, tag)

    def delete_tag(self, run_id: str, key: str) -> None:
        _require_not_the_maker([key])
        self._require_free(run_id, [key])
        super().delete_tag(run_id, key)

    def _require_free(self, run_id: str, tags: Sequence[str] = ()) -> None:
        """Refuse to write to a run of a ledger, and to a run of a version unless only tags are written that are no evidence."""
        self.require_no_ledger("run", run_id)
        if not tags or any(map(is_evidence, tags)):
            self.require_no_version("run", run_id)

    def _require_free_parent(self, tags: Any) -> None:
        """Refuse tags that put a run below a run of a registered search: its trials are those that it had."""
        for parent in (tag.value for tag in tags if tag.key.strip().casefold() == MLFLOW_PARENT_RUN_ID.casefold()):
            if origin := self.version_of("run", parent.strip()):
                _refuse_kept(origin, "parent run", parent.strip())

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
            for run in kept_with(session, named_in(session, experiment)) & by_id.keys():
                return by_id[run]
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
        "delete_experiment restore_experiment set_experiment_tag delete_experiment_tag "
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
    "delete_run restore_run log_param log_inputs log_outputs record_logged_model delete_logged_model finalize_logged_model "
    "log_logged_model_params delete_experiment"
)
"""The methods among WRITES that change a run, model or experiment behind a registered version."""


def _refuse_kept(origin: Origin, kind: str, id_: str) -> NoReturn:
    which = "this" if kind == "experiment" or id_ in origin.ids else "the search of this"
    refuse(f"{origin.name} version {origin.version} was made by {which} {kind}, which stays as it was registered")


def _require_not_the_maker(tags: Iterable[str]) -> None:
    for key in tags:
        if key == MADE_BY or same_spelling(key, [MADE_BY]):
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
