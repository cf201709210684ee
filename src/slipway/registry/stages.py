"""The only calls of MLflow's API of stages and aliases, which MLflow marks as deprecated: a change there is one change here."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion

from slipway.types import HELD_STAGES, Stage


def move(client: MlflowClient, name: str, version: int, stage: Stage) -> None:
    """Move a version to a stage, archive the one that held it in the same call, and put the alias in step.

    The aliases `staging` and `production` name the version that holds the stage; no alias where none does.
    """
    with _deprecated():
        single = stage in HELD_STAGES
        client.transition_model_version_stage(name, str(version), stage.value, archive_existing_versions=single)
    put_aliases_in_step(client, name)


def holder(client: MlflowClient, name: str, stage: Stage) -> ModelVersion | None:
    """Return the version that holds a stage; None where none does."""
    with _deprecated():
        versions = client.get_latest_versions(name, [stage.value])
    return versions[0] if versions else None


def holders(client: MlflowClient, name: str) -> dict[Stage, int]:
    """Return the versions that hold Production and Staging, in that order, by one request."""
    with _deprecated():
        versions = client.get_latest_versions(name, [stage.value for stage in HELD_STAGES])
    numbers = {Stage(version.current_stage): int(version.version) for version in versions}
    return {stage: numbers[stage] for stage in reversed(HELD_STAGES) if stage in numbers}


def put_aliases_in_step(client: MlflowClient, name: str) -> None:
    """Let the aliases `staging` and `production` name the versions that hold the stages, whatever they name now."""
    aliases, numbers = client.get_registered_model(name).aliases, holders(client, name)
    for stage in HELD_STAGES:
        alias, version = stage.value.lower(), numbers.get(stage)
        # A store that is asked without a server returns the version of an alias as a number.
        if version is not None and str(aliases.get(alias)) != str(version):
            client.set_registered_model_alias(name, alias, str(version))
        elif version is None and alias in aliases:
            client.delete_registered_model_alias(name, alias)


@contextmanager
def _deprecated() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        yield
