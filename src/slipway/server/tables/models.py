"""All registered models and their versions, by one query each, whatever their number."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

from mlflow.entities.model_registry.model_version_stages import STAGE_DELETED_INTERNAL
from mlflow.prompt.constants import IS_PROMPT_TAG_KEY
from mlflow.store.model_registry.dbmodels.models import (
    SqlModelVersion,
    SqlModelVersionTag,
    SqlRegisteredModel,
    SqlRegisteredModelTag,
)
from sqlalchemy import func

from slipway.registry.mutex import is_mutex
from slipway.registry.trust import ANSWERS, AUTHOR, DIGEST, MADE_BY
from slipway.registry.versions import Version
from slipway.server.tables._batches import batches
from slipway.types import Stage

_READ = (ANSWERS, AUTHOR, DIGEST, MADE_BY)


class ModelTables:
    """The tables of the registry. store: returns MLflow's store of the registry."""

    def __init__(self, store: Callable[[], Any]) -> None:
        self._store = store

    def goals(self) -> dict[str, str]:
        """Return the description of each registered model by its name, the mutexes and prompts left out."""
        with self._store().ManagedSessionMaker(read_only=False) as session:
            prompts = session.query(SqlRegisteredModelTag.name).filter(
                SqlRegisteredModelTag.key == IS_PROMPT_TAG_KEY, func.lower(SqlRegisteredModelTag.value) == "true"
            )
            rows = session.query(SqlRegisteredModel.name, SqlRegisteredModel.description)
            left_out = {name for (name,) in prompts}
            return {name: goal or "" for name, goal in rows if name not in left_out and not is_mutex(name)}

    def versions(self) -> dict[str, tuple[Version, ...]]:
        """Return the versions of each model, newest first, without their tags."""
        found: dict[str, list[Version]] = defaultdict(list)
        with self._store().ManagedSessionMaker(read_only=False) as session:
            rows = session.query(
                SqlModelVersion.name,
                SqlModelVersion.version,
                SqlModelVersion.current_stage,
                SqlModelVersion.run_id,
                SqlModelVersion.creation_time,
            ).filter(SqlModelVersion.current_stage != STAGE_DELETED_INTERNAL)
            for name, number, stage, run, created in rows.order_by(SqlModelVersion.version.desc()):
                found[name].append(Version(name, number, Stage(stage), run or "", "", created))
        return {name: tuple(versions) for name, versions in found.items()}

    def tags(self, names: Iterable[str]) -> dict[tuple[str, int], dict[str, str]]:
        """Return the tags of the versions of some models that a list needs, by model and number."""
        found: dict[tuple[str, int], dict[str, str]] = defaultdict(dict)
        tag = SqlModelVersionTag
        with self._store().ManagedSessionMaker(read_only=False) as session:
            for some in batches(names):
                rows = session.query(tag.name, tag.version, tag.key, tag.value)
                for name, number, key, value in rows.filter(tag.name.in_(some), tag.key.in_(_READ)):
                    found[name, number][key] = value or ""
        return found
