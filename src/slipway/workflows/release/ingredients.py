"""What a version was made of, read from its run and its model: declaration, card, packages, size. No model is loaded."""

import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import mlflow
import yaml
from mlflow import MlflowClient
from mlflow.entities import Run
from mlflow.exceptions import MlflowException

from slipway.core.release.changes import Ingredients
from slipway.core.signatures import ModelFields
from slipway.core.spec import Experiment
from slipway.registry.artifacts.models import requirements_of
from slipway.registry.artifacts.signatures import signature_in
from slipway.reports.card import CardData, ModelCard, read_card
from slipway.reports.words.spelling import number
from slipway.tracking.lineage import GIT_REMOTE

CARD, DECLARATION = "model_card.json", "experiment.json"
UNREADABLE = (OSError, ValueError, AttributeError, MlflowException, yaml.YAMLError)
"""The errors of a file that is not there, or that another Slipway wrote: a page does without it."""
_DIGEST_CHARACTERS = 12
_CODE = {
    "own code": "slipway.code_digest",
    "locked dependencies": "slipway.lock_digest",
    "uncommitted changes": "slipway.git_dirty",
}


@dataclass(frozen=True)
class VersionRecord:
    """What is recorded of a version beside its model.

    Attributes:
        ingredients: what it was made of.
        card: the model card of its run; None without one.
        size_bytes: the size of its files; None where it is not recorded.
        declared: its declaration; None where it cannot be read.
        signature: the columns that its model asks for and answers with; None where they cannot be read.
    """

    ingredients: Ingredients
    card: ModelCard | None = None
    size_bytes: int | None = None
    declared: Experiment | None = None
    signature: ModelFields | None = None


def record_of(client: MlflowClient, run: Run, files: str = "") -> VersionRecord:
    """Return what is recorded of a run and of its model.

    Args:
        client: a client of the tracking server.
        run: the run.
        files: the address of the model's files; empty for a run without a model.
    """
    with tempfile.TemporaryDirectory(prefix="slipway-record-") as made:
        folder = Path(made)
        tags = run.data.tags
        card, declared = _card(client, run, folder), _declared(client, run, folder)
        packages, size_bytes, signature = _of_model(client, files, folder) if files else ((), None, None)
        code = {name: tags[tag][:_DIGEST_CHARACTERS] for name, tag in _CODE.items() if tags.get(tag)}
        ingredients = Ingredients(
            declaration=declared.as_dict() if declared else {},
            data=_facts(card.data, tags.get("slipway.data_digest", "")) if card else {},
            code=code,
            packages=packages,
            commit=tags.get("slipway.git_commit", ""),
            remote=tags.get(GIT_REMOTE) or tags.get("mlflow.source.git.repoURL", ""),
        )
        return VersionRecord(ingredients, card, size_bytes, declared, signature)


def _card(client: MlflowClient, run: Run, folder: Path) -> ModelCard | None:
    with suppress(*UNREADABLE):
        return read_card(_read(client, str(run.info.artifact_uri), CARD, folder))
    return None


def _declared(client: MlflowClient, run: Run, folder: Path) -> Experiment | None:
    """Return the declaration as it was in force: read anew, so that both sides have the defaults of this Slipway."""
    with suppress(*UNREADABLE):
        return Experiment.model_validate_json(_read(client, str(run.info.artifact_uri), DECLARATION, folder))
    return None


def _read(client: MlflowClient, below: str, name: str, folder: Path) -> str:
    """Return the text of a file below an address. A run's address is at hand: by its id, MLflow reads the run twice more."""
    address = f"{below.rstrip('/')}/{name}"
    path = mlflow.artifacts.download_artifacts(address, dst_path=str(folder), tracking_uri=client.tracking_uri)
    return Path(path).read_text()


def _facts(data: CardData, digest: str) -> dict[str, str]:
    facts = {
        "source": data.source,
        "rows": number(data.rows),
        "first": data.first,
        "last": data.last,
        "split": data.split,
        "digest": (digest or data.digest)[:_DIGEST_CHARACTERS],
    }
    facts |= {f"{part.name} rows": number(part.rows) for part in data.parts}
    return {name: value for name, value in facts.items() if value}


def _of_model(client: MlflowClient, files: str, folder: Path) -> tuple[tuple[str, ...], int | None, ModelFields | None]:
    """Return the requirements of a model, the size of its files and its signature, by two of its files."""
    with suppress(*UNREADABLE):
        mlmodel = yaml.safe_load(_read(client, files, "MLmodel", folder))
        size, signature = mlmodel.get("model_size_bytes"), None
        with suppress(KeyError, TypeError, *UNREADABLE):
            signature = signature_in(mlmodel)
        _read(client, files, "requirements.txt", folder)
        return tuple(requirements_of(folder)), size if isinstance(size, int) else None, signature
    return (), None, None
