"""The signature of a registered version, read from its MLmodel alone: nothing else of the model is downloaded or loaded."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import mlflow
import yaml
from mlflow import MlflowClient

from slipway.core.signatures import Fields, ModelFields
from slipway.registry.artifacts.models import temporary_folder


def signature_of_version(client: MlflowClient, name: str, number: int) -> ModelFields | None:
    """Return the signature of a version; None where it cannot be read: nobody waits with a rollback for that."""
    try:
        files = client.get_model_version_download_uri(name, str(number)).rstrip("/")
        with temporary_folder() as folder:
            path = mlflow.artifacts.download_artifacts(
                f"{files}/MLmodel", dst_path=folder, tracking_uri=client.tracking_uri
            )
            return signature_in(yaml.safe_load(Path(path).read_text()))
    except Exception:  # each artifact store has errors of its own  # noqa: BLE001
        return None


def signature_in(mlmodel: Mapping[str, Any]) -> ModelFields | None:
    """Return the signature of an MLmodel; None for one without. Raises KeyError, TypeError, ValueError for a strange one."""
    found = mlmodel.get("signature")
    return ModelFields(_fields(found["inputs"]), _fields(found.get("outputs") or "[]")) if found else None


def _fields(text: str) -> Fields:
    return {each.get("name") or "": (each["type"], bool(each.get("required", True))) for each in json.loads(text)}
