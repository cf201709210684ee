"""The runs and logged models that registered versions were made by, read from the registry's own database.

The registry's database may be another than that of the runs.
"""

from contextlib import suppress
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from mlflow import MlflowClient
from mlflow.entities.model_registry.model_version_stages import STAGE_DELETED_INTERNAL
from mlflow.exceptions import MlflowException
from mlflow.store.model_registry.dbmodels.models import SqlModelVersion, SqlModelVersionTag
from sqlalchemy import and_, or_

from slipway.registry.trust import DIGEST
from slipway.server.reserved_names import decoded, is_below, is_model, owners


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


def is_slipways(registry: Any, name: str) -> bool:
    """Say whether Slipway registered a version of a model."""
    with registry.ManagedSessionMaker(read_only=False) as session:
        return _registered(session).filter(SqlModelVersion.name == name).first() is not None


def made_here(client: MlflowClient, uri: str) -> bool:
    """Say whether a URI names files of a run or a logged model that a server knows.

    client: a client of that server's stores.
    """
    within = urlsplit(uri)
    for owner in owners(decoded(uri)):
        with suppress(MlflowException):  # there is no such run
            if is_model(owner):
                place = str(client.get_logged_model(owner).artifact_location)
            else:
                place = str(client.get_run(owner).info.artifact_uri)
            if is_below(uri, place) or (within.scheme in ("runs", "models") and not within.netloc):
                return True
    return False


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
