"""The page of an experiment: its live versions, results, search, versions and transitions."""

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
    """The version in a stage now, since when, and who moved the version there."""

    stage: Stage
    version: int
    since: datetime | None = None
    by: str = ""
    run_id: str = ""


@dataclass(frozen=True)
class VersionRow:
    """One registered version with its search metric on the test rows and the verdicts of its last judgement."""

    version: int
    stage: Stage
    created: datetime | None = None
    run_id: str = ""
    value: float | None = None
    verdicts: tuple[Verdict, ...] = ()


@dataclass(frozen=True)
class ExperimentPage:
    """The content of the page of an experiment.

    Attributes:
        card: The model card of the version in Production, or else of the newest run.
        made: The time at which the page was made.
        standings: The versions in Production and in Staging; a stage without one is shown as empty.
        trials: The trials of the card's run in any order, without baselines.
        changed: What was changed of the trials since the search ended, a sentence each.
        plots: PNG bytes by name (`roc`, `confusion_matrix`, ...), in the order in which they are shown.
        history_png: The figure of the search's history.
        parallel_png: The figure of the trials by their parameters.
        versions: The registered versions in any order; the newest is shown first.
        transitions: The transitions in any order; the newest is shown first.
        arms: The records of variants, shadows and canaries.
        links: Addresses by label, such as the run in the MLflow UI; only http and https addresses become links.
    """

    card: ModelCard
    made: datetime
    standings: tuple[LiveVersion, ...] = ()
    trials: tuple[Trial, ...] = ()
    changed: tuple[str, ...] = ()
    plots: Mapping[str, bytes] = field(default_factory=dict)
    history_png: bytes | None = None
    parallel_png: bytes | None = None
    versions: tuple[VersionRow, ...] = ()
    transitions: tuple[Transition, ...] = ()
    arms: tuple[VariantRecord, ...] = ()
    links: Mapping[str, str] = field(default_factory=dict)

    def standing(self, stage: str) -> LiveVersion | None:
        """Return the version in a stage; None for an empty stage."""
        return next((standing for standing in self.standings if standing.stage == stage), None)


def experiment_page(page: ExperimentPage) -> str:
    """Write the page as one HTML file with its figures and without a script.

    The leaderboard shows the best MOST_TRIALS trials and says how many more there are. Marks show the trial that was taken and
    the trials that are within the noise of the best.
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
    """Return the number of the trial that the search took; a card without a preference is older and took the best."""
    preferred = page.card.search.preferred or "best"
    return choose(equals, page.card.search.metric, preferred).number if equals else None
