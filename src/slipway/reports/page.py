"""The page of an experiment: what is live, how good it is, how it was found, and who let it through."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from slipway.core.choice import choose, contenders
from slipway.core.release.transitions import Transition
from slipway.core.trials import Trial, ranked
from slipway.core.variants import VariantRecord
from slipway.reports._templates import render_html
from slipway.reports.card import ModelCard
from slipway.types import Stage, Verdict

MOST_TRIALS = 200


@dataclass(frozen=True)
class LiveVersion:
    """What stands in a stage now. since: when it got there; by: who moved it."""

    stage: Stage
    version: int
    since: datetime | None = None
    by: str = ""
    run_id: str = ""


@dataclass(frozen=True)
class VersionRow:
    """One registered version. value: the search metric on the test rows; verdicts: those of the last gates it met."""

    version: int
    stage: Stage
    created: datetime | None = None
    run_id: str = ""
    value: float | None = None
    verdicts: tuple[Verdict, ...] = ()


@dataclass(frozen=True)
class ExperimentPage:
    """Everything the page of an experiment shows.

    card: of the version that is shown: the one in Production, or else the newest run.
    made: when the page was made.
    standings: what is in Production and in Staging; a stage that is missing is shown as empty.
    trials: of the run of the card, in any order; those of the baselines are not among them.
    plots: PNG bytes by name (`roc`, `confusion_matrix`, ...), in the order in which they are shown.
    history_png, parallel_png: the figures of the search: its history, and its trials by their parameters.
    versions: newest first is how they are shown, whatever their order here; so are movements.
    arms: what services saw of second versions, shadows and canaries.
    links: label → address, such as the run in the MLflow UI; only http and https addresses become links.
    """

    card: ModelCard
    made: datetime
    standings: tuple[LiveVersion, ...] = ()
    trials: tuple[Trial, ...] = ()
    plots: Mapping[str, bytes] = field(default_factory=dict)
    history_png: bytes | None = None
    parallel_png: bytes | None = None
    versions: tuple[VersionRow, ...] = ()
    transitions: tuple[Transition, ...] = ()
    arms: tuple[VariantRecord, ...] = ()
    links: Mapping[str, str] = field(default_factory=dict)

    def standing(self, stage: str) -> LiveVersion | None:
        """Return what stands in a stage, None where nothing does."""
        return next((standing for standing in self.standings if standing.stage == stage), None)


def experiment_page(page: ExperimentPage) -> str:
    """Write the page as one HTML file that needs nothing else: figures are inside, there is no script.

    The leaderboard shows the best MOST_TRIALS trials and says how many more there are. It marks the trial that was taken and
    those that are within the noise of the best.
    """
    best = ranked(page.trials, page.card.search.metric)
    equals = contenders(page.trials, page.card.search.metric)
    return render_html(
        "page.html.j2",
        page=page,
        card=page.card,
        headline=next((result for result in page.card.results if result.metric == page.card.search.metric), None),
        leaders=best[:MOST_TRIALS],
        equals={trial.number for trial in equals},
        chosen=_chosen(page, equals),
        some_early=any(trial.share < 1 for trial in page.trials),
        some_measured=any(trial.predict_ms or trial.size_bytes for trial in page.trials),
        more_trials=len(best) - len(best[:MOST_TRIALS]),
        versions=sorted(page.versions, key=lambda row: -row.version),
        transitions=sorted(page.transitions, key=lambda transition: transition.at_ms, reverse=True),
    )


def _chosen(page: ExperimentPage, equals: Sequence[Trial]) -> int | None:
    """The number of the trial that the search took; cards from before there was a preference took the best."""
    preferred = page.card.search.preferred or "best"
    return choose(equals, page.card.search.metric, preferred).number if equals else None
