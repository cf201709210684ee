"""`slipway register`: the model of a finished run becomes a version, with its lineage."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlflow import MlflowClient
from mlflow.entities import Run

from slipway.errors import Refusal, UnknownName
from slipway.registry.absent import is_absent
from slipway.registry.artifacts.models import MODEL, download, temporary_folder
from slipway.registry.evidence.rescoring import rows_of
from slipway.registry.same_model import same_model, same_words
from slipway.registry.trust import (
    ANSWERS,
    AUTHOR,
    DIGEST,
    EVIDENCE_DIGEST,
    SPEC_DIGEST,
    artifact_digest,
    require_as_written,
    require_no_compiled_code,
)
from slipway.registry.versions import Version, create_version, versions_of_run
from slipway.settings import Settings
from slipway.tracking.runs import described
from slipway.workflows.session import open_client

LINEAGE = (
    "slipway.experiment",
    SPEC_DIGEST,
    "slipway.data_digest",
    "slipway.code_digest",
    "slipway.lock_digest",
    "slipway.git_commit",
    "slipway.git_dirty",
    ANSWERS,
)


@dataclass(frozen=True)
class Registered:
    """A version that `register` made, or found for the same run; `new` says which.

    same_as: an earlier version with the same files or the same answers; None for none.
    """

    version: Version
    new: bool
    same_as: int | None = None

    def as_dict(self) -> dict[str, Any]:
        return {
            **self.version.facts(),
            "uri": self.version.uri,
            "new": self.new,
            "same_as": self.same_as,
        }

    def __str__(self) -> str:
        verb = "is registered" if self.new else "was registered from this run before"
        same = f"\n  SAME        {same_words(self.same_as)}" if self.same_as else ""
        return f"{self.version.name} version {self.version.number} {verb} ({self.version.stage.words}){same}"


def register(settings: Settings, name: str, run_id: str) -> Registered:
    """Register the model of a run that `slipway run` finished. A second call returns the same version.

    Raises UnknownName for a run that does not exist, Refusal for one that is not finished or of another experiment, and
    UntrustedModel for a run whose model is not as Slipway writes it.
    """
    return register_run(open_client(settings), name, run_id, settings.trusted_types)


def register_run(client: MlflowClient, name: str, run_id: str, trusted: Sequence[str]) -> Registered:
    """Register as `register` does, with a client at hand.

    trusted: the types that the operator lets a model hold, beside those that its experiment declared.
    """
    tags = _tags_of_finished(client, name, run_id)
    for existing in versions_of_run(client, name, run_id):
        if DIGEST in existing.tags:  # a version registered past Slipway has no digest to verify it by
            return Registered(existing, new=False, same_as=same_model(client, existing))
    source = model_uri(client.get_run(run_id))
    with temporary_folder() as folder:
        digests = _digests(client, run_id, source, Path(folder), trusted)
    lineage = {key: tags[key] for key in LINEAGE if key in tags} | {AUTHOR: tags.get("mlflow.user", "unknown")}
    descriptions = described(client.get_experiment_by_name(name).tags), described(tags)
    version = create_version(client, name, source, run_id, {**lineage, **digests}, *descriptions)
    return Registered(version, new=True, same_as=same_model(client, version))


def model_uri(run: Run) -> str:
    """Return where the model of a run is. Raises Refusal when it has none."""
    if not run.outputs or not run.outputs.model_outputs:
        raise Refusal(f"run {run.info.run_id} has no model named '{MODEL}'; it was cut off before it was stored")
    return f"models:/{run.outputs.model_outputs[-1].model_id}"


def _digests(client: MlflowClient, run_id: str, source: str, folder: Path, trusted: Sequence[str]) -> dict[str, str]:
    """Return the digests of the model's files and of the test rows that the gates will judge the model on.

    Raises UntrustedModel for files that are not as Slipway writes them.
    """
    kept = folder / "kept"
    kept.mkdir()
    experiment = rows_of(client, run_id, kept).experiment
    files = download(source, folder / "model")
    require_no_compiled_code(files)
    require_as_written(files, (*experiment.search.trusted_types, *trusted))
    return {DIGEST: artifact_digest(files), EVIDENCE_DIGEST: artifact_digest(kept)}


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
