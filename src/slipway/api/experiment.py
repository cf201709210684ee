"""An experiment of the project, for notebooks: `from slipway import Experiment`."""

from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypedDict, Unpack

from slipway.api.surroundings import settings_of, worded
from slipway.errors import UsageError, did_you_mean
from slipway.settings import Settings

if TYPE_CHECKING:  # importing these costs seconds, which a method spends when it needs them
    import pandas as pd

    from slipway.api.model import Model
    from slipway.api.trained import (
        CheckedExperiment,
        ComparedModels,
        FinishedRun,
        GuessedExperiment,
        RedeclaredVersion,
        ReproducedWinner,
    )
    from slipway.core.spec import Experiment
    from slipway.workflows.init import InitWishes


class InitOptions(TypedDict, total=False):
    """The options of `slipway init` beside name, source and target."""

    task: Literal["binary", "multiclass", "regression"]
    metric: str
    time: str
    id: str
    goal: str
    decision: str
    owner: str
    maturity: Literal["poc", "mvp"]
    effort: Literal["fast", "normal", "best"]


class ProjectExperiment:
    """An experiment: the folder `experiments/NAME` with its experiment.yaml, and its runs in MLflow.

    Make one with `Experiment.load`, `Experiment.from_frame` or `Experiment.from_source`. The file is read anew by each method,
    so an edit counts at once.

    Attributes:
        name: the name, which the registered model has, too.
        guessed: the guesses of a new experiment; None for one that was loaded.
    """

    def __init__(self, name: str, settings: Settings, guessed: "GuessedExperiment | None" = None):
        self.name = name
        self.guessed = guessed
        self._settings = settings

    @classmethod
    @worded()
    def load(
        cls, name: str, *, project: Path | str | None = None, tracking_uri: str | None = None
    ) -> "ProjectExperiment":
        """Return the experiment of that name. Raises UnknownName, and SpecInvalid with every problem of its file.

        Args:
            name: the name of the folder.
            project: the folder that holds `experiments/`; None for the nearest above the working directory.
            tracking_uri: the MLflow server; None for MLFLOW_TRACKING_URI, or else the server that `slipway up` keeps.
        """
        from slipway.workflows.project import declared

        settings = settings_of(project, tracking_uri)
        declared(settings, name)
        return cls(name, settings)

    @classmethod
    @worded()
    def from_frame(
        cls,
        frame: "pd.DataFrame",
        *,
        target: str,
        name: str,
        force: bool = False,
        project: Path | str | None = None,
        tracking_uri: str | None = None,
        **wishes: Unpack[InitOptions],
    ) -> "ProjectExperiment":
        """Make `experiments/NAME` of a frame: its rows as Parquet, and an experiment.yaml that runs as it is.

        Args:
            frame: the rows. An index with a name becomes a column.
            target: the column to predict.
            name: the name of the new experiment.
            force: write over an experiment that is there.
            project: as for `load`.
            tracking_uri: as for `load`.
            wishes: task, metric, time, id, goal, decision, owner, maturity (poc, mvp) and effort (fast, normal, best), as of
                `slipway init`.

        Raises UsageError for a name that is taken, UnknownName for a target that is no column, and DataUnusable.
        """
        settings = settings_of(project, tracking_uri)  # before the imports, whose libraries read what it sets
        from slipway.api.trained import GuessedExperiment
        from slipway.workflows.init import init_from_frame

        made = init_from_frame(settings, name, frame, _wished(target, wishes), force=force)
        return cls(name, settings, GuessedExperiment.of(made))

    @classmethod
    @worded()
    def from_source(
        cls,
        source: Path | str,
        *,
        target: str,
        name: str,
        table: str | None = None,
        force: bool = False,
        project: Path | str | None = None,
        tracking_uri: str | None = None,
        **wishes: Unpack[InitOptions],
    ) -> "ProjectExperiment":
        """Make `experiments/NAME` of a table by its path or URL, as `slipway init` does.

        Args:
            source: the path of the table, relative to the working directory, or its URL.
            target: the column to predict.
            name: the name of the new experiment.
            table: the table or view of a database.
            force: write over an experiment.yaml that is there.
            project: as for `load`.
            tracking_uri: as for `load`.
            wishes: as for `from_frame`.

        Raises what `from_frame` raises, and FileUnusable.
        """
        settings = settings_of(project, tracking_uri)  # before the imports, whose libraries read what it sets
        from slipway.api.trained import GuessedExperiment
        from slipway.workflows.init import init

        data = {"url": str(source), **({"table": table} if table else {})}
        made = init(settings, name, data, _wished(target, wishes), dry_run=False, force=force)
        return cls(name, settings, GuessedExperiment.of(made))

    @property
    def folder(self) -> Path:
        """The folder with experiment.yaml, and with features.py where the experiment has one."""
        return self._settings.experiments / self.name

    @property
    def text(self) -> str:
        """The text of experiment.yaml."""
        return (self.folder / "experiment.yaml").read_text(encoding="utf-8")

    @property
    @worded()
    def declaration(self) -> "Experiment":
        """The declaration, as experiment.yaml says it now."""
        from slipway.workflows.project import declared

        return declared(self._settings, self.name).experiment

    @property
    def model(self) -> "Model":
        """The registered model of the experiment."""
        from slipway.api.model import Model

        return Model(self.name, settings=self._settings)

    @worded()
    def check(self) -> "CheckedExperiment":
        """Validate the experiment and say what a run of it will do, as `slipway check`."""
        from slipway.api.trained import CheckedExperiment
        from slipway.workflows.check import check

        self._read_code_anew()
        return CheckedExperiment.of(check(self._settings, self.name))

    @worded()
    def run(
        self,
        *,
        trials: int | None = None,
        timeout_s: float | None = None,
        seed: int | None = None,
        executor: Literal["processes", "serial", "spark"] | None = None,
        workers: int | None = None,
        master: str | None = None,
        resume: bool = False,
    ) -> "FinishedRun":
        """Search, evaluate the winner and register it, as `slipway run`. None stands for what the experiment declares.

        Args:
            trials: how many trials.
            timeout_s: start no trial after so many seconds.
            seed: the seed of the search.
            executor: the place where trials run; `serial` is this process, in which they repeat exactly.
            workers: how many trials at a time; by default one a core.
            master: the Spark master.
            resume: take up the newest search of the same study; its trials count.

        Raises SlipwayError of every kind, with the message of the command.
        """
        from slipway.forkserver import warm_up

        if (executor or self.declaration.search.executor) == "processes":
            warm_up()  # the fork server imports while this process does, which takes as long
        from slipway.api.trained import FinishedRun
        from slipway.workflows.run import run

        self._read_code_anew()
        given = {"trials": trials, "timeout_s": timeout_s, "seed": seed}
        where = {"executor": executor, "workers": workers, "master": master}
        return FinishedRun.of(run(self._settings, self.name, resume=resume, **given, **where))

    @property
    @worded()
    def runs(self) -> "pd.DataFrame":
        """The searches in MLflow, newest first, each with its version and its score on the test rows."""
        from slipway.workflows.searches import searches

        return searches(self._settings, self.name, self.declaration.search.metric)

    @worded()
    def leaderboard(self, run_id: str | None = None) -> "pd.DataFrame":
        """Return the table of a search's trials, best first.

        run_id: the id of the search, or the start of it; None for the newest.
        """
        from slipway.workflows.searches import leaderboard_of

        return leaderboard_of(self._settings, self.name, run_id)

    @worded()
    def compare(
        self, left: int | str | None = None, right: int | str | None = None, *, page: Path | str | None = None
    ) -> "ComparedModels":
        """Set two versions or runs side by side, as `slipway compare`.

        Args:
            left: a version, Production or Staging, or the id of a run or the start of it. Without left and right, the version
                in Production is compared with the newest other one.
            right: the other side, named likewise.
            page: the file to write an HTML page to; None for no page.
        """
        from slipway.api.trained import ComparedModels
        from slipway.workflows.compare import compare

        one, other = (None if side is None else str(side) for side in (left, right))
        return ComparedModels.of(compare(self._settings, self.name, one, other, Path(page) if page else None))

    @worded()
    def reproduce(self, version: int) -> "ReproducedWinner":
        """Fit the winner of a version again and compare it with the stored model row by row, as `slipway reproduce`."""
        from slipway.api.trained import ReproducedWinner
        from slipway.workflows.training.reproduce import reproduce

        self._read_code_anew()
        return ReproducedWinner.of(reproduce(self._settings, self.name, version))

    @worded()
    def redeclare(self, version: int, comment: str = "", *, dry_run: bool = False) -> "RedeclaredVersion":
        """Declare the release of a version anew by what experiment.yaml says now, and train nothing, as `slipway redeclare`."""
        from slipway.api.trained import RedeclaredVersion
        from slipway.workflows.release.redeclare import redeclare

        return RedeclaredVersion.of(redeclare(self._settings, self.name, version, comment, dry_run=dry_run))

    def __repr__(self) -> str:
        return f"Experiment({self.name!r}): {self.folder}"

    def _repr_html_(self) -> str:
        from slipway.reports.notebook import Sheet

        if self.guessed:
            return self.guessed._repr_html_()
        declared = self.declaration
        facts = {
            "folder": self.folder,
            "target": f"{declared.data.target} ({declared.task.value})",
            "features": len(declared.data.features),
            "search": f"{', '.join(declared.search.candidates)}; by {declared.search.metric}",
        }
        return Sheet(f"experiment {self.name}", said=declared.scope.goal, facts=facts).as_html()

    def _read_code_anew(self) -> None:
        from slipway.code import forget

        forget(self.folder)


def _wished(target: str, wishes: InitOptions) -> "InitWishes":
    """Return the wishes of a person for a new experiment. Raises UsageError for an option that is not known."""
    from slipway.core.tasks import Task
    from slipway.data.profile import Wishes
    from slipway.workflows.init import InitWishes

    if unknown := sorted(wishes.keys() - InitOptions.__annotations__.keys()):
        known = tuple(InitOptions.__annotations__)
        raise UsageError(
            f"there is no option {unknown[0]}{did_you_mean(unknown[0], known)}; there is: {', '.join(known)}"
        )
    task = wishes.get("task")
    of_table = Wishes(Task(task) if task else None, wishes.get("metric"), wishes.get("time"), wishes.get("id"))
    said = {key: wishes[key] for key in ("goal", "decision", "owner", "maturity", "effort") if key in wishes}
    return InitWishes(target, of_table, **said)
