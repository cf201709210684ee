"""`slipway register`: the model of a finished run becomes a version, with its lineage."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlflow import MlflowClient
from mlflow.entities import Run

from slipway.errors import Refusal, UnknownName
from slipway.registry.absent import is_absent
from slipway.registry.artifacts.models import MODEL, download, temporary_folder
from slipway.registry.evidence.rescoring import rows_of
from slipway.registry.trust import AUTHOR, DIGEST, EVIDENCE_DIGEST, SPEC_DIGEST, artifact_digest
from slipway.registry.versions import Version, create_version, versions_of_run
from slipway.settings import Settings
from slipway.workflows.session import open_client

_NOTE = "mlflow.note.content"  # the description: of an experiment its goal, of a run its note
LINEAGE = (
    "slipway.experiment",
    SPEC_DIGEST,
    "slipway.data_digest",
    "slipway.code_digest",
    "slipway.lock_digest",
    "slipway.git_commit",
    "slipway.git_dirty",
)


@dataclass(frozen=True)
class Registered:
    """A version that `register` made, or found for the same run; `new` says which."""

    version: Version
    new: bool

    def as_dict(self) -> dict[str, Any]:
        return {
            **self.version.facts(),
            "uri": self.version.uri,
            "new": self.new,
        }

    def __str__(self) -> str:
        verb = "is registered" if self.new else "was registered from this run before"
        return f"{self.version.name} version {self.version.number} {verb} (stage {self.version.stage})"


def register(settings: Settings, name: str, run_id: str) -> Registered:
    """Register the model of a run that `slipway run` finished. A second call returns the same version.

    Raises UnknownName for a run that does not exist, Refusal for one that is not finished or of another experiment.
    """
    return register_run(open_client(settings), name, run_id)


def register_run(client: MlflowClient, name: str, run_id: str) -> Registered:
    """Register as `register` does, with a client at hand."""
    tags = _tags_of_finished(client, name, run_id)
    for existing in versions_of_run(client, name, run_id):
        if DIGEST in existing.tags:  # a version registered past Slipway has no digest to verify it by
            return Registered(existing, new=False)
    source = model_uri(client.get_run(run_id))
    with temporary_folder() as folder:
        digests = _digests(client, run_id, source, Path(folder))
    lineage = {key: tags[key] for key in LINEAGE if key in tags} | {AUTHOR: tags.get("mlflow.user", "unknown")}
    descriptions = client.get_experiment_by_name(name).tags.get(_NOTE, ""), tags.get(_NOTE, "")
    version = create_version(client, name, source, run_id, {**lineage, **digests}, *descriptions)
    return Registered(version, new=True)


def model_uri(run: Run) -> str:
    """Return where the model of a run is. Raises Refusal when it has none."""
    if not run.outputs or not run.outputs.model_outputs:
        raise Refusal(f"run {run.info.run_id} has no model named '{MODEL}'; it was cut off before it was stored")
    return f"models:/{run.outputs.model_outputs[-1].model_id}"


def _digests(client: MlflowClient, run_id: str, source: str, folder: Path) -> dict[str, str]:
    """Return the digests of the model's files and of the test rows that the gates will judge the model on."""
    rows = folder / "kept"
    rows.mkdir()
    rows_of(client, run_id, rows)
    return {DIGEST: artifact_digest(download(source, folder / "model")), EVIDENCE_DIGEST: artifact_digest(rows)}


def _tags_of_finished(client: MlflowClient, name: str, run_id: str) -> dict[str, str]:
    from mlflow.exceptions import MlflowException

    try:
        run = client.get_run(run_id)
    except MlflowException as error:
        if not is_absent(error, or_malformed=True):
            raise
        raise UnknownName("run", run_id, (), "A run's id is on its page in the MLflow UI") from None
    if run.data.tags.get("slipway.kind") != "search":
        raise Refusal(
            f"run {run_id} was not made by `slipway run`: it keeps no test rows that a gate could go by, so its model "
            f"cannot be registered here; train with `slipway run {name}`"
        )
    if run.info.status != "FINISHED":
        raise Refusal(
            f"run {run_id} is no finished search (status {run.info.status}); `slipway run {name} --resume` takes one up "
            f"that was cut off, `slipway run {name}` trains anew"
        )
    if (of := run.data.tags.get("slipway.experiment")) != name:
        raise Refusal(f"run {run_id} is of the experiment '{of}', not of '{name}'")
    return dict(run.data.tags)
