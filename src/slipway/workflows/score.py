"""`slipway score`: a file in, the same file with predictions out."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from slipway.batch import ScoredFile, score_file
from slipway.progress import bar
from slipway.registry.artifacts.contract import categories_of, forms_of
from slipway.registry.artifacts.fetch import fetch_verified
from slipway.registry.artifacts.models import inputs_of, temporary_folder
from slipway.registry.trust import DIGEST, load_trusted
from slipway.registry.versions import Version, version_in
from slipway.settings import Settings
from slipway.types import Stage
from slipway.workflows.project import trusted_types
from slipway.workflows.session import open_client


@dataclass(frozen=True)
class ScoreReport:
    """A file that was scored, the version that scored it, and how."""

    version: Version
    output: Path
    how: ScoredFile

    def as_dict(self) -> dict[str, Any]:
        return {
            **self.version.facts(),
            "rows": self.how.rows,
            "output": str(self.output),
            "compiled": self.how.compiled,
            "why_not_compiled": self.how.why_not or None,
            "rows_left_to_the_model": self.how.left,
        }

    def __str__(self) -> str:
        by = f"{self.version.name} version {self.version.number}"
        return f"{self.how.rows:,} rows scored by {by} → {self.output}\n{self._how}"

    @property
    def _how(self) -> str:
        if not self.how.compiled:
            return f"by the model itself, not compiled: {self.how.why_not}"
        left = f", {self.how.left:,} rows of them by the model itself" if self.how.left else ""
        return f"by the compiled model, which agreed with it on this file's first rows{left}"


def score(settings: Settings, name: str, source: Path, output: Path, stage: Stage = Stage.PRODUCTION) -> ScoreReport:
    """Score a CSV or Parquet file with the version that holds a stage, in bounded memory.

    The metadata of the output hold the model's name, version, stage, run and digest, and the time.
    Raises UnknownName when no version holds the stage, UntrustedModel, FileUnusable, DataUnusable.
    """
    client = open_client(settings)
    version = version_in(client, name, stage)
    with temporary_folder() as made:
        files = fetch_verified(version, Path(made))
        model = load_trusted(files, trusted_types(settings, name, lambda: (client, version)))
        with bar(0, "rows scored") as shown:
            metadata = _metadata(version)
            known, forms = categories_of(files), forms_of(files)
            how = score_file(model, inputs_of(files), source, output, metadata, shown.update, known, forms)
    return ScoreReport(version, output, how)


def _metadata(version: Version) -> dict[str, str]:
    return {
        "slipway.model": version.name,
        "slipway.version": str(version.number),
        "slipway.stage": version.stage.value,
        "slipway.run_id": version.run_id,
        DIGEST: version.tags.get(DIGEST, ""),
        "slipway.scored_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }
