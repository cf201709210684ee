"""Results of an experiment: what was guessed, checked, run, compared and fitted anew."""

from slipway.api.shown import Shown
from slipway.core.statistics.comparison import OnSameRows
from slipway.errors import some_of
from slipway.reports.notebook import Sheet
from slipway.reports.words.comparison import headline, words
from slipway.reports.words.spelling import number
from slipway.workflows.check import CheckReport
from slipway.workflows.compare import Compared
from slipway.workflows.init import InitReport
from slipway.workflows.release.redeclare import Redeclared
from slipway.workflows.run import RunResult
from slipway.workflows.training.reproduce import Reproduction

_MOST_NAMES = 30


class GuessedExperiment(Shown, InitReport):
    """The guesses of a new experiment, each with its reason."""

    @property
    def sheet(self) -> Sheet:
        told = self.as_dict()
        return Sheet(
            title=f"{told['name']}: {told['rows']:,} rows, guessed from the table",
            said=f"Written to {self.path}; each line of the file is a guess with its reason.",
            columns=("", "guess", "why"),
            rows=[(guess["key"], _plain(guess["value"]), guess["why"]) for guess in told["guesses"]],
            warnings=[str(doubt) for doubt in self.draft.profile.doubts],
        )


class CheckedExperiment(Shown, CheckReport):
    """An experiment that can be run, and what stands between its version and Production."""

    @property
    def sheet(self) -> Sheet:
        told, experiment = self.as_dict(), self.spec.experiment
        features = told["features"]
        return Sheet(
            title=f"{told['name']} is ready to run",
            passed=True,
            said=experiment.scope.goal,
            facts={
                "rows": ", ".join(f"{part} {count:,}" for part, count in told["rows"].items()) + f" ({told['split']})",
                "features": some_of(features, _MOST_NAMES),
                "search": f"{', '.join(told['candidates'])}; {told['trials']} trials at most, by {told['metric']}",
            },
            columns=("gate", "before", "demand", *(["to do"] if any(step["todo"] for step in told["release"]) else [])),
            rows=[
                (
                    step["gate"],
                    " and ".join(map(str, step["stages"])),
                    step["demand"],
                    *filter(None, ["; ".join(step["todo"])]),
                )
                for step in told["release"]
            ],
            warnings=[str(doubt) for doubt in self.prepared.doubts],
        )


class FinishedRun(Shown, RunResult):
    """A run that ended with a registered version."""

    @property
    def version(self) -> int:
        """The number of the registered version."""
        return self.registered.version.number

    @property
    def sheet(self) -> Sheet:
        metric, measured = self.evaluated.metric, self.evaluated
        baselines = {
            f"baseline {name}": number(values[metric])
            for name, values in measured.baselines.items()
            if metric in values
        }
        return Sheet(
            title=str(self.registered),
            passed=True,
            facts={
                "winner": f"{self.winner.title} of {self.trials} trials"
                + (f", {self.failed} failed" if self.failed else ""),
                **{f"test {name}": str(interval) for name, interval in measured.intervals.items()},
                **baselines,
                "test rows": measured.rows,
            },
            warnings=[self.warning] if self.warning else [],
            links={"the run in MLflow": self.url, "its trials": self.trials_url},
        )


class ComparedModels(Shown, Compared):
    """Two versions or runs side by side."""

    @property
    def sheet(self) -> Sheet:
        comparison, anew = self.comparison, self.comparison.on_same_rows
        left, right = comparison.left.label, comparison.right.label
        changed = {
            f"{part}: {change.what}": f"{change.before} → {change.now}"
            for part in ("declaration", "data", "code", "packages")
            for change in getattr(self.changes, part)
        }
        return Sheet(
            title=f"{comparison.name}: {left} and {right}",
            said=headline(comparison),
            facts=({"scored anew on": anew.which} if anew else {}) | changed,
            columns=("metric", left, right, "") if anew and anew.left else (),
            rows=_metrics(anew, left, right) if anew else (),
        )


class ReproducedWinner(Shown, Reproduction):
    """A winner that was fitted anew, compared with the stored model."""

    @property
    def sheet(self) -> Sheet:
        return Sheet(
            title=str(self).splitlines()[0],
            passed=self.identical,
            said=f"{self.rows - self.different:,} of {self.rows:,} test rows have identical predictions.",
            columns=("metric", "recorded", "now"),
            rows=[(name, was, now) for name, (was, now) in self.metrics.items()],
            warnings=[f"not as it was: {fact}" for fact in self.surroundings],
        )


class RedeclaredVersion(Shown, Redeclared):
    """A version whose release was declared again."""

    @property
    def sheet(self) -> Sheet:
        first = str(self).splitlines()[0]
        return Sheet(
            title=first,
            columns=("key", "before", "now") if self.changes else (),
            rows=[(change.what, change.before, change.now) for change in self.changes],
            warnings=[f"weaker than before: {each}" for each in self.weaker],
        )


def _plain(value: object) -> str:
    return ", ".join(f"{key} {each}" for key, each in value.items()) if isinstance(value, dict) else str(value)


def _metrics(anew: OnSameRows, left: str, right: str) -> list[tuple[object, ...]]:
    """Return each metric of both models on the same rows, in numbers and in words."""
    told = {name: words(difference, left, right) for name, difference in anew.better_by.items()}
    return [(name, value, anew.right.get(name), told.get(name, "")) for name, value in anew.left.items()]
