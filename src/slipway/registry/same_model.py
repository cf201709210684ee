"""Versions that are the same model: with the same files, or with the same answers to every one of the same test rows."""

from collections.abc import Sequence

from mlflow import MlflowClient

from slipway.registry.trust import ANSWERS, DIGEST
from slipway.registry.versions import Version, list_versions


def same_model(client: MlflowClient, version: Version) -> int | None:
    """Return the newest earlier version that is the same model; None for none."""
    return same_among(version, list_versions(client, version.name))


def same_among(version: Version, versions: Sequence[Version]) -> int | None:
    """Return the newest earlier one of the versions that is the same model; None for none."""
    earlier = [other.number for other in versions if other.number < version.number and is_same(version, other)]
    return max(earlier, default=None)


def is_same(one: Version, other: Version) -> bool:
    """Say whether two versions are the same model."""
    return any(one.tags.get(tag) and one.tags.get(tag) == other.tags.get(tag) for tag in (DIGEST, ANSWERS))


def same_words(number: int) -> str:
    """Return the warning about a version that is the same model as an earlier one."""
    return f"it is the same model as version {number}: the same files, or the same answer to every test row"
