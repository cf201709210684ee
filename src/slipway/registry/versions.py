"""Versions of a registered model, with their lineage, which Slipway stores as tags."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException

from slipway.errors import UnknownName, UnknownVersion
from slipway.registry.absent import is_absent
from slipway.registry.mutex import model_names
from slipway.types import MOST_VERSION, Stage

_QUOTE = "'"


@dataclass(frozen=True)
class Version:
    """One registered version. created_ms: Unix milliseconds."""

    name: str
    number: int
    stage: Stage
    run_id: str
    source: str
    created_ms: int
    tags: Mapping[str, str] = field(default_factory=dict)

    def facts(self) -> dict[str, str | int]:
        """Return the version's facts for scripts: name, version, stage, run_id."""
        return {"name": self.name, "version": self.number, "stage": self.stage.value, "run_id": self.run_id}

    @property
    def uri(self) -> str:
        return f"models:/{self.name}/{self.number}"


def create_version(
    client: MlflowClient, name: str, source: str, run_id: str, tags: Mapping[str, str], goal: str = "", note: str = ""
) -> Version:
    """Register a run's model as the next version of `name`, and make the registered model where there is none.

    Args:
        client: a client of the registry.
        name: the registered model.
        source: the URI of the model.
        run_id: the run that it was logged to.
        tags: the version's tags.
        goal: the description of the registered model, if it is made.
        note: the description of the version.
    """
    try:
        client.create_registered_model(name, description=goal or None)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    model_id = source.removeprefix("models:/") if source.startswith("models:/m-") else None
    made = client.create_model_version(
        name, source, run_id, tags=dict(tags), description=note or None, model_id=model_id
    )
    return _version(made)


def get_version(client: MlflowClient, name: str, number: int) -> Version:
    """Return a version. Raises UnknownVersion, which names the existing versions, when it does not exist."""
    try:
        if number <= MOST_VERSION:
            return _version(client.get_model_version(name, str(number)))
    except MlflowException as error:
        if not is_absent(error, or_malformed=True):
            raise
    known = [version.number for version in list_versions(client, name)]
    hint = "" if known else f"Train the first with `slipway run {name}`"
    raise UnknownVersion(name, number, known, hint)


def is_registered(client: MlflowClient, name: str) -> bool:
    """Say whether there is a registered model of that name."""
    try:
        client.get_registered_model(name)
    except MlflowException as error:
        if not is_absent(error, or_malformed=True):
            raise
        return False
    return True


def list_versions(client: MlflowClient, name: str) -> list[Version]:
    """Return every version of a registered model, newest first; an empty list when the model is not registered."""
    # A filter of MLflow cannot contain a quote: LIKE takes any character in its place, and the names are compared below.
    named = f"name LIKE '{name.replace(_QUOTE, '_')}'" if _QUOTE in name else f"name = '{name}'"
    versions, token = [], None
    while True:
        page = client.search_model_versions(named, max_results=1000, page_token=token)
        versions += [_version(version) for version in page if version.name == name]
        token = page.token
        if not token:
            return sorted(versions, key=lambda version: -version.number)


def version_in(client: MlflowClient, name: str, stage: Stage) -> Version:
    """Return the version that holds a stage. Raises UnknownName, which names each version's stage, when none does."""
    versions = list_versions(client, name)
    for version in versions:
        if version.stage is stage:
            return version
    if not versions:
        raise UnknownName(
            "registered model", name, model_names(client), f"Train its first version with `slipway run {name}`"
        )
    stages = [f"{version.number} ({version.stage.words})" for version in versions]
    raise UnknownName(
        f"version of {name} in", stage, stages, f"Move one there with `slipway promote {name} VERSION {stage}`"
    )


def versions_of_run(client: MlflowClient, name: str, run_id: str) -> list[Version]:
    """Return the versions that were registered from a run, with Slipway or without."""
    return list(map(_version, client.search_model_versions(f"name = '{name}' and run_id = '{run_id}'")))


def _version(version: ModelVersion) -> Version:
    return Version(
        version.name,
        int(version.version),
        Stage(version.current_stage or "None"),
        version.run_id or "",
        version.source or "",
        int(version.creation_timestamp),
        dict(version.tags),
    )
