"""The runs and logged models that registered versions were made by, read from the registry's own database.

The registry's database may be another than that of the runs.
"""

import re
from contextlib import suppress
from typing import Any, NamedTuple

from mlflow.entities.model_registry.model_version_stages import STAGE_DELETED_INTERNAL
from mlflow.exceptions import MlflowException
from mlflow.store.model_registry.dbmodels.models import SqlModelVersion, SqlModelVersionTag
from sqlalchemy import and_, or_

from slipway.registry.trust import AUTHOR, DIGEST, MADE_BY
from slipway.server.reserved_names import decoded, is_model, owners


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


def made_by(registry: Any, id_: str) -> Origin | None:
    """Return a version that was made by a run or a logged model; None where there is none."""
    # A database cannot decode a percent-encoded source, so each one with a percent sign is read.
    named = (
        column.contains(part, autoescape=True)
        for column in (SqlModelVersion.source, SqlModelVersion.storage_location)
        for part in (id_, "%")
    )
    with registry.ManagedSessionMaker(read_only=False) as session:
        rows = _registered(session).filter(or_(SqlModelVersion.run_id == id_, *named))
        return next((origin for origin in (Origin(*row) for row in rows) if id_ in origin.ids), None)


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
