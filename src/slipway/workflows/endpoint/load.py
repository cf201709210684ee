"""The loading of a version in a back: from the copy on this disk if its bytes are right, else from a new copy."""

import hashlib
import shutil
from dataclasses import dataclass
from pathlib import Path

from slipway.errors import NoServer, UntrustedModel
from slipway.plans.fingerprint import versions
from slipway.serving.back.loaded_model import LoadedModel
from slipway.serving.supervisor.plan_cache import PlanCache

PRELOAD = (
    "skops.io", "sklearn.ensemble", "sklearn.compose", "sklearn.linear_model", "slipway.registry.trust", "slipway.compile",
    __name__, "slipway.plans:warm",
)  # fmt: skip


@dataclass(frozen=True)
class Order:
    """A version to load; a call loads it.

    Attributes:
        name: the registered model.
        version: the version's number.
        digest: the digest that the registry holds of the version's files; None where it holds none.
        folder: the folder of the version's copy on this disk.
        tracking_uri: the server that a new copy comes from; "" for none.
        trusted: types that the model may hold beside Slipway's own list.
    """

    name: str
    version: int
    digest: str | None
    folder: Path
    tracking_uri: str
    trusted: tuple[str, ...]

    @property
    def plan_cache(self) -> PlanCache | None:
        """The cache of the version's plan, valid for these bytes, these trusted types and these versions of the libraries."""
        if self.digest is None:
            return None
        from slipway.registry.trust import TRUSTED_TYPES

        types = " ".join(sorted({*TRUSTED_TYPES, *self.trusted}))
        made_of = hashlib.sha256(f"{self.digest} {types} {versions()}".encode()).hexdigest()
        return PlanCache(self.folder.with_name(f"{self.folder.name}.plan"), made_of)

    @property
    def has_copy(self) -> bool:
        """Whether the copy is on this disk, with the right bytes."""
        from slipway.registry.trust import artifact_digest, drop_compiled_code

        if not (self.folder / "MLmodel").is_file():
            return False
        drop_compiled_code(self.folder)
        return artifact_digest(self.folder) == self.digest

    def __call__(self) -> LoadedModel:
        """Load the version. Raises UntrustedModel, and NoServer when there is no copy and no server to get one from."""
        from slipway.registry.trust import load_trusted

        files = self._verified()
        return LoadedModel(load_trusted(files, self.trusted), files)

    def _verified(self) -> Path:
        if self.digest is None:
            from slipway.registry.trust import without_digest

            raise without_digest(self.name, self.version)
        if self.has_copy:
            return self.folder
        if (self.folder / "MLmodel").is_file():
            try:
                return self._fetched()
            except NoServer as error:
                raise UntrustedModel(f"the bytes of the copy in {self.folder} changed, and {error}") from None
        return self._fetched()

    def _fetched(self) -> Path:
        """Download the version beside the copy, and put it in the copy's place if its bytes are right."""
        if not self.tracking_uri:
            raise NoServer("no tracking server is there to get another from")
        import mlflow
        from mlflow.exceptions import MlflowException
        from requests.exceptions import RequestException

        from slipway.registry.artifacts.models import download
        from slipway.registry.trust import artifact_digest, changed_bytes, drop_compiled_code
        from slipway.tracking.client import connect

        connect(self.tracking_uri)
        draft = self.folder.with_name(f"{self.folder.name}.draft")
        shutil.rmtree(draft, ignore_errors=True)
        draft.parent.mkdir(parents=True, exist_ok=True)
        try:
            files = download(f"models:/{self.name}/{self.version}", draft)
        except (MlflowException, RequestException, OSError) as error:
            raise NoServer(
                f"the files of {self} cannot be had from {mlflow.get_tracking_uri()}: {error}"[:500]
            ) from None
        drop_compiled_code(files)
        if artifact_digest(files) != self.digest:
            shutil.rmtree(draft, ignore_errors=True)
            raise changed_bytes(self.name, self.version)
        shutil.rmtree(self.folder, ignore_errors=True)
        files.replace(self.folder)
        return self.folder

    def __str__(self) -> str:
        return f"{self.name} version {self.version}"
