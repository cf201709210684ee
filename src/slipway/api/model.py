"""A registered model, for notebooks: `from slipway import Model`."""

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from slipway.api.surroundings import settings_of, worded
from slipway.core.release.transitions import held_stage_named, stage_named
from slipway.errors import UnknownName, UsageError
from slipway.settings import Settings
from slipway.types import Stage

if TYPE_CHECKING:  # importing these costs seconds, which a method spends when it needs them
    import pandas as pd

    from slipway.api.judged import VersionVerdicts
    from slipway.api.released import ModelHistory, MovedVersion, VerifiedLedger
    from slipway.registry.versions import Version
    from slipway.workflows.scorable import FrameScorer
    from slipway.workflows.score import ScoreReport

Held = Literal["Staging", "Production"]


class Model:
    """A registered model: its versions, the stages that they are in, and its answers.

    Args:
        name: the name of the model, which is that of its experiment.
        project: the folder that holds `experiments/`; None for the nearest above the working directory.
        tracking_uri: the MLflow server; None for MLFLOW_TRACKING_URI, or else the server that `slipway up` keeps.
        settings: the settings themselves, in place of the two.
    """

    def __init__(
        self,
        name: str,
        *,
        project: Path | str | None = None,
        tracking_uri: str | None = None,
        settings: Settings | None = None,
    ):
        self.name = name
        self._settings = settings or settings_of(project, tracking_uri)
        self._loaded: FrameScorer | None = None

    @property
    @worded()
    def versions(self) -> "pd.DataFrame":
        """A table of the versions, newest first: version, stage, run_id, created."""
        import pandas as pd

        rows = [(each.number, each.stage.words, each.run_id, each.created_ms) for each in self._versions()]
        table = pd.DataFrame(rows, columns=["version", "stage", "run_id", "created"])
        return table.assign(created=pd.to_datetime(table["created"], unit="ms", utc=True))

    @worded()
    def version(self, which: int | str = Stage.PRODUCTION) -> "Version":
        """Return a version by its number or its stage. Raises UnknownName.

        which: a number, Production or Staging.
        """
        from slipway.registry.versions import get_version, version_in
        from slipway.workflows.session import open_client

        client = open_client(self._settings)
        if isinstance(which, int):
            return get_version(client, self.name, which)
        return version_in(client, self.name, held_stage_named(which))

    @worded()
    def promote(self, stage: Held | str, version: int | None = None, *, comment: str = "") -> "MovedVersion":
        """Move a version to a stage if the gates let it, as `slipway promote`.

        Args:
            stage: Staging or Production.
            version: the version; None for the newest on the way to Staging, and for the one in Staging on the way to
                Production.
            comment: the reason, which is written down.

        Raises PromotionRefused with every verdict, in `verdicts`, when a gate does not pass; nothing is moved then.
        """
        from slipway.api.released import MovedVersion
        from slipway.workflows.release.promote import promote

        to = held_stage_named(stage)
        return MovedVersion.of(promote(self._settings, self.name, version or self._next_for(to), to, comment))

    @worded()
    def rollback(self, *, comment: str = "") -> "MovedVersion":
        """Bring back the version that was in Production before, as `slipway rollback`."""
        from slipway.api.released import MovedVersion
        from slipway.workflows.release.rollback import rollback

        return MovedVersion.of(rollback(self._settings, self.name, comment))

    @worded()
    def archive(self, version: int, *, comment: str = "") -> "MovedVersion":
        """Move a version to Archived, as `slipway archive`."""
        from slipway.api.released import MovedVersion
        from slipway.workflows.release.archive import archive

        return MovedVersion.of(archive(self._settings, self.name, version, comment).transition)

    @worded()
    def gates(self, version: int | None = None, stage: Held | str = "Production") -> "VersionVerdicts":
        """Run the gates before a stage and move nothing, as `slipway gates`; the verdicts are written to the ledger.

        Args:
            version: the version; None as for `promote`.
            stage: Staging or Production.
        """
        from slipway.api.judged import VersionVerdicts
        from slipway.workflows.release.gates import gates

        to = held_stage_named(stage)
        return VersionVerdicts.of(gates(self._settings, self.name, version or self._next_for(to), to))

    @worded()
    def approve(
        self, version: int, *, comment: str, stage: Held | str = "Production", overrides: tuple[str, ...] = ()
    ) -> "MovedVersion":
        """Approve the verdicts on a version, as `slipway approve`. Raises Refusal for its author.

        Args:
            version: the version.
            comment: the reason, which is written down.
            stage: the stage that the verdicts are for.
            overrides: gates that had too few rows to compare with the version in Production.
        """
        from slipway.api.released import MovedVersion
        from slipway.workflows.release.decide import approve

        to = held_stage_named(stage)
        return MovedVersion.of(approve(self._settings, self.name, version, comment, to, overrides))

    @worded()
    def reject(self, version: int, *, comment: str, stage: Held | str = "Production") -> "MovedVersion":
        """Reject the verdicts on a version with a reason, as `slipway reject`."""
        from slipway.api.released import MovedVersion
        from slipway.workflows.release.decide import reject

        return MovedVersion.of(reject(self._settings, self.name, version, comment, held_stage_named(stage)))

    @worded()
    def comment(self, version: int, text: str) -> "MovedVersion":
        """Comment on a version, as `slipway comment`."""
        from slipway.api.released import MovedVersion
        from slipway.workflows.release.decide import comment

        return MovedVersion.of(comment(self._settings, self.name, version, text))

    @worded()
    def history(self, last: int | None = None, *, comments: bool = False) -> "ModelHistory":
        """Return who moved which version where, when and why, as `slipway history`; `.to_frame()` makes a table of it.

        Args:
            last: only so many of the newest transitions; None for all.
            comments: also the comments on versions.
        """
        from slipway.api.released import ModelHistory
        from slipway.workflows.release.history import history

        return ModelHistory.of(history(self._settings, self.name, last, comments=comments))

    @worded()
    def verify(self) -> "VerifiedLedger":
        """Find entries of the ledger that were altered or taken out, and moves past Slipway, as `slipway history --verify`."""
        from slipway.api.released import VerifiedLedger
        from slipway.workflows.release.history import verify_history

        return VerifiedLedger.of(verify_history(self._settings, self.name))

    @worded()
    def predict(self, rows: "pd.DataFrame", *, stage: str = "Production") -> "pd.Series":
        """Return the prediction of each row, with the index of the rows.

        The version of the stage is loaded once and verified; a promotion is noticed at the next call.

        Args:
            rows: the rows, with the columns that the model is asked with; other columns are left out.
            stage: Production or Staging.

        Raises DataUnusable that names column and row, UnknownName when no version holds the stage, UntrustedModel.
        """
        return self._scorer(stage).scored(rows)["prediction"]

    @worded()
    def score(
        self, rows: "pd.DataFrame | Path | str", *, stage: str = "Production", **keys: str | None
    ) -> "pd.DataFrame":
        """Return rows with `prediction`, and of a classifier with one `probability_CLASS` a class.

        Args:
            rows: the rows, or the path or URL of a table, which is read whole; `score_file` reads it in bounded memory.
            stage: Production or Staging.
            keys: of a path or URL: sep, decimal, encoding, format, table, query, sha256, as of `slipway score`.

        Raises what `predict` raises, and FileUnusable.
        """
        scorer = self._scorer(stage)
        if isinstance(rows, str | Path):
            return scorer.scored_table(str(rows), self._settings, keys)
        if keys:
            raise UsageError(f"{', '.join(keys)}: only a path or URL takes keys; a frame is taken as it is")
        return scorer.scored(rows)

    @worded()
    def score_file(
        self, source: Path | str, output: Path | str, *, stage: str = "Production", **keys: str | None
    ) -> "ScoreReport":
        """Score a table into a CSV or Parquet file in bounded memory, as `slipway score`.

        Args:
            source: the path or URL of the table.
            output: the file to write.
            stage: Production or Staging.
            keys: as for `score`.
        """
        from slipway.workflows.score import score

        return score(self._settings, self.name, str(source), Path(output), stage_named(stage), **keys)

    @worded()
    def report(self, output: Path | str | None = None) -> Path:
        """Write everything about the experiment as one HTML page and return its path, as `slipway report`.

        output: the file; None for NAME.html in the working directory.
        """
        from slipway.workflows.report import report

        return report(self._settings, self.name, Path(output) if output else None)

    def __repr__(self) -> str:
        return f"Model({self.name!r})"

    def _repr_html_(self) -> str:
        from slipway.reports.notebook import Sheet

        rows = [(each.number, each.stage.words, each.run_id) for each in self._versions()]
        return Sheet(f"model {self.name}", columns=("version", "stage", "run"), rows=rows).as_html()

    def _versions(self) -> "list[Version]":
        from slipway.registry.mutex import model_names
        from slipway.registry.versions import list_versions
        from slipway.workflows.session import open_client

        client = open_client(self._settings)
        found = list_versions(client, self.name)
        if not found:
            hint = f"Train its first version with `slipway run {self.name}`"
            raise UnknownName("registered model", self.name, model_names(client), hint)
        return found

    def _next_for(self, stage: Stage) -> int:
        return self.version(Stage.STAGING).number if stage is Stage.PRODUCTION else self._versions()[0].number

    def _scorer(self, stage: str) -> "FrameScorer":
        """Return the scorer of the version that holds a stage now; a version is loaded once."""
        from slipway.registry.versions import version_in
        from slipway.workflows.scorable import FrameScorer, load_scorable
        from slipway.workflows.session import open_client

        client = open_client(self._settings)
        version = version_in(client, self.name, held_stage_named(stage))
        if self._loaded is None or self._loaded.scorable.version.number != version.number:
            self._loaded = FrameScorer(load_scorable(client, self._settings, version))
        return self._loaded
