"""The runs and logged models that registered versions were made by, read from the registry's own database.

The registry's database may be another than that of the runs.
"""

import re
from collections.abc import Collection
from contextlib import suppress
from functools import cache
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from mlflow import MlflowClient
from mlflow.entities.model_registry.model_version_stages import STAGE_DELETED_INTERNAL
from mlflow.exceptions import MlflowException
from mlflow.store.model_registry.dbmodels.models import SqlModelVersion, SqlModelVersionTag, SqlRegisteredModel
from mlflow.store.tracking.dbmodels.models import SqlLoggedModel, SqlRun, SqlTag
from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID
from sqlalchemy import String, and_, bindparam, cast, literal, or_, select

from slipway.registry.trust import AUTHOR, DIGEST, MADE_BY
from slipway.server.reserved_names import decoded, is_below, is_model, owners
from slipway.tracking.trials import CONTINUES

_TEXT = String(8000)
_MOST_NAMED = 50  # ids in one question; a database takes no condition of a thousand parts


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
        return [Origin(*row) for row in session.execute(_registered())]


def model_names(registry: Any) -> list[str]:
    """Return the names of all registered models in a registry's store."""
    with registry.ManagedSessionMaker(read_only=False) as session:
        return list(session.scalars(select(SqlRegisteredModel.name)))


def made_by(registry: Any, *ids: str) -> Origin | None:
    """Return a version that was made by one of the runs and logged models; None where there is none."""
    if len(ids) > _MOST_NAMED:
        found = origins(registry)
    else:
        given = {"ids": ids, "percent": "%!%%", **{f"id{i}": f"%{id_}%" for i, id_ in enumerate(ids)}}
        with registry.ManagedSessionMaker(read_only=False) as session:
            found = [Origin(*row) for row in session.execute(_naming(len(ids)), given)]
    return next((origin for origin in found if not origin.ids.isdisjoint(ids)), None)


def is_slipways(registry: Any, name: str) -> bool:
    """Say whether Slipway registered a version of a model."""
    with registry.ManagedSessionMaker(read_only=False) as session:
        return session.execute(_registered().where(SqlModelVersion.name == name)).first() is not None


def made_here(client: MlflowClient, uri: str) -> bool:
    """Say whether a URI names files of a run or a logged model that a server knows.

    client: a client of that server's stores.
    """
    within = urlsplit(uri)
    for owner in owners(decoded(uri)):
        with suppress(MlflowException):  # there is no such run
            place = place_of(client, owner)
            if is_below(uri, place) or (within.scheme in ("runs", "models") and not within.netloc):
                return True
    return False


def place_of(client: MlflowClient, owner: str) -> str:
    """Return where the artifacts of a run or a logged model are. Raises MlflowException for one that does not exist."""
    if is_model(owner):
        return str(client.get_logged_model(owner).artifact_location)
    return str(client.get_run(owner).info.artifact_uri)


def makers(registry: Any, runs: Any, source: str, run_id: str | None) -> str:
    """Return who made the runs that a new version comes from, one a line, as the server saw it; empty where it saw nobody.

    A colleague who registers somebody's model is its author, and whoever trained it stays one, also where another run is named.

    Args:
        registry: the store of the registered versions.
        runs: the store of the runs.
        source: the URI of the version's files, as the client sent it.
        run_id: the run that the client names.
    """
    named = [_run_of(runs, owner) if is_model(owner) else owner for owner in owners(decoded(source))]
    names = [_tag_of_run(runs, id_) for id_ in dict.fromkeys([run_id, *named]) if id_]
    if copied := _OF_A_VERSION.fullmatch(decoded(source)):
        with suppress(MlflowException):
            tags = registry.get_model_version(copied["name"], copied["version"]).tags
            names += [tags.get(AUTHOR, ""), *tags.get(MADE_BY, "").splitlines()]
    return "\n".join(dict.fromkeys(name for name in names if name))


_OF_A_VERSION = re.compile(r"models:/+(?P<name>[^/]+)/(?P<version>\d+)/?")


def _run_of(runs: Any, model: str) -> str | None:
    with suppress(MlflowException):
        return runs.get_logged_model(model).source_run_id or None
    return None


def _tag_of_run(runs: Any, run_id: str) -> str:
    with suppress(MlflowException):
        return str(runs.get_run(run_id).data.tags.get(MADE_BY, ""))
    return ""


def kept_with(session: Any, run_ids: Collection[str]) -> set[str]:
    """Return each run that keeps one of the runs as it is once a version is made by it, the runs themselves included.

    These are the runs above it (`mlflow.parentRunId`), and the searches that continue one of these and read its trials.
    """
    found, new = set(run_ids), set(run_ids)
    while new:
        rows = session.execute(_upwards(), {"ids": list(new)}).all()
        new = {run for run, continues in rows if continues} - found
        found.update(run for run, _ in rows)
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


# A search asks these two for each of its trials, a few times: built once, they cost a third.
@cache
def _upwards() -> Any:
    """Return the question for the runs above some runs, and the searches that continue one of them: (run, continues)."""
    # PostgreSQL wants one type in both halves. UNION, not UNION ALL: two runs may name each other as their parent.
    here = select(cast(SqlRun.run_uuid, _TEXT).label("id")).where(SqlRun.run_uuid.in_(bindparam("ids", expanding=True)))
    found = here.cte("found", recursive=True)
    of_it = and_(SqlTag.key == MLFLOW_PARENT_RUN_ID, SqlTag.run_uuid == found.c.id)
    above = found.union(select(cast(SqlTag.value, _TEXT)).where(of_it))
    continuing = select(cast(SqlTag.run_uuid, _TEXT), literal(1)).where(
        SqlTag.key == CONTINUES, SqlTag.value.in_(select(above.c.id))
    )
    return select(above.c.id, literal(0)).union_all(continuing)


@cache
def _naming(number: int) -> Any:
    """Return the question for the versions that may be made by one of so many runs and logged models."""
    # A database cannot decode a percent-encoded source, so each one with a percent sign is read.
    named = (
        column.like(bindparam(part), escape="!" if part == "percent" else None)
        for column in (SqlModelVersion.source, SqlModelVersion.storage_location)
        for part in ("percent", *(f"id{i}" for i in range(number)))
    )
    return _registered().where(or_(SqlModelVersion.run_id.in_(bindparam("ids", expanding=True)), *named))


def _registered() -> Any:
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
    query = select(*of_each).join(SqlModelVersionTag, tagged)
    return query.where(SqlModelVersion.current_stage != STAGE_DELETED_INTERNAL)
