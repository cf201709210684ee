"""`slipway score`: a table in, a file with the same rows and their predictions out."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from slipway.batch import ScoredFile, require_sink, score_file
from slipway.core.spec import source_at
from slipway.progress import bar
from slipway.registry.trust import DIGEST
from slipway.registry.versions import Version, version_in
from slipway.settings import Settings
from slipway.sources import open_table
from slipway.types import Stage
from slipway.workflows.scorable import load_scorable
from slipway.workflows.session import open_client


@dataclass(frozen=True)
class ScoreReport:
    """A table that was scored, the version that scored it, and how."""

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
        return f"by the compiled model, which agreed with it on the table's first rows{left}"


def score(
    settings: Settings, name: str, address: str, output: Path, stage: Stage = Stage.PRODUCTION, **keys: Any
) -> ScoreReport:
    """Score a table with the version that holds a stage, in bounded memory.

    The metadata of the output hold the model's name, version, stage, run and digest, and the time.
    Raises UnknownName when no version holds the stage, UsageError, UntrustedModel, FileUnusable, DataUnusable.

    Args:
        settings: the settings of the command.
        name: the name of the registered model.
        address: the path or URL of the table; a path is relative to the working directory.
        output: the file to write.
        stage: the stage of the version.
        keys: other keys of the table's Source. A CSV file has the dialect that the version was trained with, but for these.
    """
    source_at(address, **keys)  # before anything is asked of the registry
    require_sink(output)
    client = open_client(settings)
    scorable = load_scorable(client, settings, version_in(client, name, stage))
    source = scorable.source(address, keys)
    with open_table(source, variables=settings.variables) as table, bar(0, "rows scored") as shown:
        how = score_file(
            scorable.model,
            scorable.inputs,
            table,
            output,
            _metadata(scorable.version),
            shown.update,
            scorable.known,
            scorable.forms,
        )
    return ScoreReport(scorable.version, output, how)


def _metadata(version: Version) -> dict[str, str]:
    return {
        "slipway.model": version.name,
        "slipway.version": str(version.number),
        "slipway.stage": version.stage.value,
        "slipway.run_id": version.run_id,
        DIGEST: version.tags.get(DIGEST, ""),
        "slipway.scored_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }
