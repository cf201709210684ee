"""What registered versions were made by, asked of the registry's own database, which may be another than that of the runs."""

from typing import Any, NamedTuple

from mlflow.entities.model_registry.model_version_stages import STAGE_DELETED_INTERNAL
from mlflow.store.model_registry.dbmodels.models import SqlModelVersion, SqlModelVersionTag
from sqlalchemy import and_

from slipway.registry.trust import DIGEST

_OF_MODEL = "models:/"


class Origin(NamedTuple):
    """A version that Slipway registered, and what it was made by; source: where its files are."""

    name: str
    version: int
    run_id: str | None
    source: str | None

    @property
    def model_id(self) -> str | None:
        """The logged model that its files are of; None for files of a run."""
        source = self.source or ""
        return source.removeprefix(_OF_MODEL) if source.startswith(_OF_MODEL) else None


def origins(registry: Any) -> list[Origin]:
    """Return the origin of each version in a registry's store that Slipway registered, which is one with a digest."""
    with registry.ManagedSessionMaker(read_only=False) as session:
        return [Origin(*row) for row in _registered(session)]


def made_by(registry: Any, kind: str, id_: str) -> Origin | None:
    """Return a version that was made by a run or a logged model (kind "model"); None where there is none."""
    with registry.ManagedSessionMaker(read_only=False) as session:
        made = SqlModelVersion.run_id == id_ if kind == "run" else SqlModelVersion.source == f"{_OF_MODEL}{id_}"
        found = _registered(session).filter(made).first()
    return Origin(*found) if found else None


def _registered(session: Any) -> Any:
    tagged = and_(
        SqlModelVersionTag.name == SqlModelVersion.name,
        SqlModelVersionTag.version == SqlModelVersion.version,
        SqlModelVersionTag.key == DIGEST,
    )
    of_each = (SqlModelVersion.name, SqlModelVersion.version, SqlModelVersion.run_id, SqlModelVersion.source)
    asked = session.query(*of_each).join(SqlModelVersionTag, tagged)
    return asked.filter(SqlModelVersion.current_stage != STAGE_DELETED_INTERNAL)
