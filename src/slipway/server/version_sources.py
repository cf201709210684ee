"""The runs and logged models that registered versions were made by, read from the registry's own database.

The registry's database may be another than that of the runs.
"""

from collections.abc import Collection
from typing import Any, NamedTuple

from mlflow.entities.model_registry.model_version_stages import STAGE_DELETED_INTERNAL
from mlflow.store.model_registry.dbmodels.models import SqlModelVersion, SqlModelVersionTag
from mlflow.store.tracking.dbmodels.models import SqlLoggedModel, SqlRun, SqlTag
from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID
from sqlalchemy import String, and_, cast, or_, select

from slipway.registry.trust import DIGEST
from slipway.server.reserved_names import decoded, owners
from slipway.tracking.trials import CONTINUES


class Origin(NamedTuple):
    """The origin of a version that Slipway registered: its run, and the places of its files.

    Attributes:
        name: the registered model.
        version: its number.
        run_id: the run that it was registered from.
        source: the URI of its files, as the client sent it.
        location: the URI that MLflow made of `source`, from which it reads the files.
    """

    name: str
    version: int
    run_id: str | None
    source: str | None
    location: str | None

    @property
    def ids(self) -> frozenset[str]:
        """Return the ids of its run, and of every run and logged model that `source` or `location` names."""
        files = (owner for uri in (self.source, self.location) for owner in owners(decoded(uri or "")))
        return frozenset([*files, *([self.run_id] if self.run_id else [])])


def origins(registry: Any) -> list[Origin]:
    """Return the origin of each version that Slipway registered in a registry's store: each version with a digest."""
    with registry.ManagedSessionMaker(read_only=False) as session:
        return [Origin(*row) for row in _registered(session)]


def made_by(registry: Any, *ids: str) -> Origin | None:
    """Return a version that was made by one of the runs and logged models; None where there is none."""
    # A database cannot decode a percent-encoded source, so each one with a percent sign is read.
    named = (
        column.contains(part, autoescape=True)
        for column in (SqlModelVersion.source, SqlModelVersion.storage_location)
        for part in (*ids, "%")
    )
    with registry.ManagedSessionMaker(read_only=False) as session:
        rows = _registered(session).filter(or_(SqlModelVersion.run_id.in_(ids), *named))
        return next((origin for origin in (Origin(*row) for row in rows) if not origin.ids.isdisjoint(ids)), None)


def kept_with(session: Any, run_ids: Collection[str]) -> set[str]:
    """Return each run that keeps one of the runs as it is once a version is made by it, the runs themselves included.

    These are the runs above it (`mlflow.parentRunId`), and the searches that continue one of these and read its trials.
    """
    found, new = set(run_ids), set(run_ids)
    while new:
        found |= _above(session, new)
        continuing = select(SqlTag.run_uuid).where(SqlTag.key == CONTINUES, SqlTag.value.in_(found))
        new = set(session.scalars(continuing)) - found
        found |= new
    return found


def source_run(session: Any, model_id: str) -> list[str]:
    """Return the run that a logged model is attached to, in a list that is empty where there is none."""
    query = select(SqlLoggedModel.source_run_id).where(SqlLoggedModel.model_id == model_id)
    return [run for run in session.scalars(query) if run]


def named_in(session: Any, experiment: int) -> set[str]:
    """Return the runs above those of an experiment, and the runs in it that another search continues."""
    within = select(SqlRun.run_uuid).where(SqlRun.experiment_id == experiment)
    parents = select(SqlTag.value).where(SqlTag.key == MLFLOW_PARENT_RUN_ID, SqlTag.run_uuid.in_(within)).distinct()
    continued = select(SqlTag.value).where(SqlTag.key == CONTINUES, SqlTag.value.in_(within)).distinct()
    return {*session.scalars(parents), *session.scalars(continued)}


def _above(session: Any, run_ids: Collection[str]) -> set[str]:
    """Return the runs and all runs above them, asked in one question."""
    # PostgreSQL wants one type in both halves. UNION, not UNION ALL: two runs may name each other as their parent.
    here = select(cast(SqlRun.run_uuid, String(8000)).label("id")).where(SqlRun.run_uuid.in_(run_ids))
    found = here.cte("found", recursive=True)
    parent = select(cast(SqlTag.value, String(8000))).where(
        SqlTag.key == MLFLOW_PARENT_RUN_ID, SqlTag.run_uuid == found.c.id
    )
    return set(session.scalars(select(found.union(parent).c.id)))


def _registered(session: Any) -> Any:
    tagged = and_(
        SqlModelVersionTag.name == SqlModelVersion.name,
        SqlModelVersionTag.version == SqlModelVersion.version,
        SqlModelVersionTag.key == DIGEST,
    )
    of_each = (
        SqlModelVersion.name,
        SqlModelVersion.version,
        SqlModelVersion.run_id,
        SqlModelVersion.source,
        SqlModelVersion.storage_location,
    )
    query = session.query(*of_each).join(SqlModelVersionTag, tagged)
    return query.filter(SqlModelVersion.current_stage != STAGE_DELETED_INTERNAL)
