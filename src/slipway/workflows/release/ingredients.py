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
from slipway.registry.artifacts.models import recorded_experiment, requirements_of
from slipway.reports.card import CardData, ModelCard, read_card
from slipway.reports.words.spelling import number
from slipway.tracking.lineage import GIT_REMOTE

CARD = "model_card.json"
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
    """

    ingredients: Ingredients
    card: ModelCard | None = None
    size_bytes: int | None = None


def record_of(client: MlflowClient, run: Run, files: str = "") -> VersionRecord:
    """Return what is recorded of a run and of its model.

    Args:
        client: a client of the tracking server.
        run: the run.
        files: the address of the model's files; empty for a run without a model.
    """
    with tempfile.TemporaryDirectory(prefix="slipway-record-") as made:
        folder = Path(made)
        run_id, tags = run.info.run_id, run.data.tags
        card = _card(client, run_id, folder)
        packages, size_bytes = _of_model(client, files, folder) if files else ((), None)
        code = {name: tags[tag][:_DIGEST_CHARACTERS] for name, tag in _CODE.items() if tags.get(tag)}
        ingredients = Ingredients(
            declaration=_declared(client, run_id, folder),
            data=_facts(card.data, tags.get("slipway.data_digest", "")) if card else {},
            code=code,
            packages=packages,
            commit=tags.get("slipway.git_commit", ""),
            remote=tags.get(GIT_REMOTE) or tags.get("mlflow.source.git.repoURL", ""),
        )
        return VersionRecord(ingredients, card, size_bytes)


def _card(client: MlflowClient, run_id: str, folder: Path) -> ModelCard | None:
    with suppress(*UNREADABLE):
        return read_card(Path(client.download_artifacts(run_id, CARD, str(folder))).read_text())
    return None


def _declared(client: MlflowClient, run_id: str, folder: Path) -> dict[str, object]:
    """Return the declaration as it was in force: read anew, so that both sides have the defaults of this Slipway."""
    with suppress(*UNREADABLE):
        return recorded_experiment(client, run_id, folder).as_dict()
    return {}


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


def _of_model(client: MlflowClient, files: str, folder: Path) -> tuple[tuple[str, ...], int | None]:
    """Return the requirements of a model and the size of its files, by two of its files."""
    with suppress(*UNREADABLE):
        for name in ("requirements.txt", "MLmodel"):
            mlflow.artifacts.download_artifacts(
                f"{files.rstrip('/')}/{name}", dst_path=str(folder), tracking_uri=client.tracking_uri
            )
        size = yaml.safe_load((folder / "MLmodel").read_text()).get("model_size_bytes")
        return tuple(requirements_of(folder)), size if isinstance(size, int) else None
    return (), None
