"""A fitted pipeline as an MLflow model of a run, stored so that stock MLflow loads and serves it without Slipway."""

import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
from mlflow import MlflowClient
from mlflow.models import ModelSignature
from mlflow.types import ColSpec, DataType, Schema

from slipway.core.spec import ColumnType, Experiment
from slipway.registry.artifacts.libraries import pinned
from slipway.registry.trust import as_stored, types_to_trust

MODEL = "model"
_TYPES = {
    ColumnType.INT: DataType.long,
    ColumnType.FLOAT: DataType.double,
    ColumnType.BOOL: DataType.boolean,
    ColumnType.CATEGORY: DataType.string,
    ColumnType.TEXT: DataType.string,
    ColumnType.DATETIME: DataType.datetime,
}


def signature_of(experiment: Experiment, inputs: Sequence[str]) -> ModelSignature:
    """Return a model's signature by the data contract, with the inputs in the given order.

    A column is optional where nulls are allowed. A whole number or truth value that may be missing is a double, as pandas
    holds it.
    """
    columns = {name: experiment.data.columns[name] for name in inputs}
    fields = [
        ColSpec(_type(column.type, column.nulls > 0), name, required=column.nulls == 0)
        for name, column in columns.items()
    ]
    target = experiment.data.columns[experiment.data.target].type
    output = DataType.double if not experiment.task.is_classification else _TYPES[target]
    return ModelSignature(Schema(fields), Schema([ColSpec(output)]))


def log_model(
    run_id: str,
    pipeline: Any,
    experiment: Experiment,
    example: pd.DataFrame,
    *,
    contract: Mapping[str, str],
    code: Sequence[Path] = (),
    trusted: Sequence[str] = (),
) -> str:
    """Log a fitted pipeline to a run as a plain scikit-learn model and return its URI.

    The model's requirements pin every library of the pipeline's types and of the imports of `code`.

    Args:
        run_id: the run.
        pipeline: the fitted pipeline.
        experiment: its experiment, whose data contract gives the signature.
        example: a few rows of the model's inputs, with exactly the columns that callers have to send.
        contract: the metadata of `contract_of`.
        code: files of the experiment with the pipeline's functions; they are stored with the model.
        trusted: types beside Slipway's own list that the pipeline may hold.

    Raises UntrustedModel for a type that is in neither list.
    """
    stored = as_stored(pipeline)
    # MLflow files a model under the active experiment, not under the one that its run is in.
    mlflow.set_experiment(experiment_id=mlflow.get_run(run_id).info.experiment_id)
    info = mlflow.sklearn.log_model(
        pipeline,
        name=MODEL,
        run_id=run_id,
        serialization_format="skops",
        skops_trusted_types=types_to_trust(stored, trusted),
        signature=signature_of(experiment, [str(name) for name in example]),
        input_example=example,
        metadata=dict(contract),
        pip_requirements=pinned(stored, code),
        code_paths=[str(path) for path in code] or None,
    )
    return str(info.model_uri)


def download(uri: str, into: Path) -> Path:
    """Download a model's files into a folder and return where they are."""
    return Path(mlflow.artifacts.download_artifacts(uri, dst_path=str(into)))


def inputs_of(folder: Path) -> Mapping[str, tuple[str, bool]]:
    """Return the inputs that a downloaded model declares: name → (type, required)."""
    return _fields(folder, "inputs")


def outputs_of(folder: Path) -> Mapping[str, tuple[str, bool]]:
    """Return the outputs that a downloaded model declares: name → (type, required)."""
    return _fields(folder, "outputs")


def requirements_of(folder: Path) -> list[str]:
    """Return the pinned packages that a downloaded model was made with, one a line of its requirements."""
    lines = (folder / "requirements.txt").read_text().splitlines()
    return [line for line in map(str.strip, lines) if line and not line.startswith("#")]


def python_of(folder: Path) -> str:
    """Return the version of Python that a downloaded model was made with, such as 3.11.7."""
    flavors = mlflow.models.Model.load(str(folder)).flavors
    return str(flavors["python_function"]["python_version"])


def recorded_experiment(client: MlflowClient, run_id: str, folder: Path) -> Experiment:
    """Return a run's experiment as it was declared for the training, not as the project declares it today."""
    path = client.download_artifacts(run_id, "experiment.json", str(folder))
    return Experiment.model_validate(json.loads(Path(path).read_text()))


def input_example(folder: Path) -> str | None:
    """Return the request body that a downloaded model was logged with, as JSON; None where it has none."""
    path = folder / "serving_input_example.json"
    return path.read_text() if path.is_file() else None


def temporary_folder() -> "tempfile.TemporaryDirectory[str]":
    """Return a folder for a downloaded model that is removed at the end of its `with` block."""
    return tempfile.TemporaryDirectory(prefix="slipway-model-", ignore_cleanup_errors=True)


def _fields(folder: Path, side: str) -> Mapping[str, tuple[str, bool]]:
    signature = mlflow.models.Model.load(str(folder)).signature
    schema = getattr(signature, side, None) if signature else None
    if schema is None:
        return {}
    return {column.name or "": (column.type.name, column.required) for column in schema.inputs}


def _type(kind: ColumnType, nullable: bool) -> DataType:
    return DataType.double if kind in (ColumnType.INT, ColumnType.BOOL) and nullable else _TYPES[kind]
