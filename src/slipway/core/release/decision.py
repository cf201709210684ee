"""The decision on a version: what its judgement found, what stands in its way, and what to doubt, as values.

`slipway.reports.words.decision` puts a decision into one or two sentences. The values are read from the ledger's entries alone,
so the same decision is shown on the board, by the commands, in MLflow's description of the version and in notices.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from slipway.core.release import readable
from slipway.core.release.judgement import ELIGIBILITY, OVERRIDDEN, Eligibility
from slipway.core.release.transitions import APPROVAL, Action, Transition
from slipway.types import Interval, Stage, Verdict

# The names of the gates whose numbers are read.
CHAMPION, BASELINE, THRESHOLDS = "not_worse_than_champion", "beats_baseline", "thresholds"
SLICES, POLICY = "slices", "policy"
_FEW_ROWS = 1000


class Found(StrEnum):
    """The outcome of a judgement's comparison."""

    BETTER = "better"
    UNCLEAR = "no clear difference"
    WORSE = "worse"
    SAME = "the same answers"
    NOT_COMPARED = "not compared"


class Situation(StrEnum):
    """The place of a version now, as far as a decision on it goes."""

    OPEN = "open"
    STAGED = "in Staging"
    LIVE = "in Production"
    ROLLED_BACK = "rolled back"
    ARCHIVED = "archived"


_THERE = (Situation.STAGED, Situation.LIVE)


@dataclass(frozen=True)
class MeasuredDifference:
    """By how much a version is better than another model.

    Attributes:
        by: the difference with its 95 % interval, in the unit of the metric; negative where the version is worse.
        metric: the metric; empty where the entry does not name it.
        rows: the number of rows that both answered; None where the entry does not say.
        champion: the number of the champion; None for a baseline.
        baseline: the name of the baseline; empty for a champion.
    """

    by: Interval
    metric: str
    rows: int | None
    champion: int | None = None
    baseline: str = ""


@dataclass(frozen=True)
class Doubts:
    """The reasons to doubt a judgement.

    Attributes:
        few: how many rows are unknown to the champion, where they are too few to compare on; None elsewhere.
        calibration: by how much the probabilities are off on average; None where it is little, or not known.
        test_rows: the number of test rows where they are few; None elsewhere.
        newest: by how much the version is clearly worse on the newest rows; 0 where it is not.
    """

    few: int | None = None
    calibration: float | None = None
    test_rows: int | None = None
    newest: float = 0.0


@dataclass(frozen=True)
class Decision:
    """All that a reviewer decides on.

    Attributes:
        name: the registered model.
        version: the version.
        stage: the stage that the version was judged for.
        judged: whether gates were asked before that stage.
        found: the outcome of the comparison with the champion or, without a champion, with the baselines.
        difference: the difference behind `found`; None where nothing could be compared.
        champion: the version that the judgement compared with; None for none.
        live: the version in Production now; None for none or where that is not known.
        failed: the gates that did not pass, the ones on approval and those that a person has overridden left out.
        overridden: the gates that failed and that an approval overrides.
        slices: the slices that are clearly worse than with the champion.
        more_slices: how many more such slices there are.
        weakened: how many gates are weaker than the release policy asks for; None where that is not judged.
        doubts: the reasons to doubt the judgement.
        problems: why the judgement no longer counts; empty where it counts.
        approvals_missing: how many approvals are missing.
        situation: the place of the version.
        back_to: of a version that was rolled back, the version that came back.
        foreign: whether the version was registered past Slipway, without a digest.
        same_as: another registered version with the same files or the same answers; None for none.
    """

    name: str
    version: int
    stage: Stage
    judged: bool = True
    found: Found = Found.NOT_COMPARED
    difference: MeasuredDifference | None = None
    champion: int | None = None
    live: int | None = None
    failed: tuple[str, ...] = ()
    overridden: tuple[str, ...] = ()
    slices: tuple[str, ...] = ()
    more_slices: int = 0
    weakened: int | None = None
    doubts: Doubts = field(default_factory=Doubts)
    problems: tuple[str, ...] = ()
    approvals_missing: int = 0
    situation: Situation = Situation.OPEN
    back_to: int | None = None
    foreign: bool = False
    same_as: int | None = None


@dataclass(frozen=True)
class Surroundings:
    """What a decision knows beside the judgement.

    Attributes:
        situation: the place of the version.
        live: the version in Production now; None for none.
        back_to: of a version that was rolled back, the version that came back.
        foreign: whether the version has no digest in the registry.
        same_as: another registered version with the same files or the same answers.
    """

    situation: Situation = Situation.OPEN
    live: int | None = None
    back_to: int | None = None
    foreign: bool = False
    same_as: int | None = None


def decide(found: Eligibility, around: Surroundings | None = None) -> Decision:
    """Return the decision on a version by its eligibility for a stage, and by what is around it."""
    judgement, around = found.judgement, around or Surroundings()
    if around.situation is Situation.STAGED and found.stage is not Stage.STAGING:
        around = replace(around, situation=Situation.OPEN)
    return _decision(judgement or _never_judged(found), found.verdicts, found.problems, around)


def decision_of(transition: Transition) -> Decision | None:
    """Return the decision that one entry of the ledger tells of; None for an entry without verdicts."""
    if not transition.verdicts:
        return None
    problems = tuple(verdict.reason for verdict in transition.verdicts if verdict.gate == ELIGIBILITY)
    live = transition.action is Action.PROMOTE and transition.stage is Stage.PRODUCTION
    around = Surroundings(Situation.LIVE if live else Situation.OPEN)
    return _decision(transition, transition.verdicts, problems, around)


def judged_last(eligibilities: Iterable[Eligibility]) -> Eligibility:
    """Return the eligibility that a decision is about: that for Production, unless only the one for Staging was judged."""
    last_first = sorted(eligibilities, key=lambda each: each.stage is not Stage.PRODUCTION)
    return next((each for each in last_first if each.judgement), last_first[0])


def _never_judged(found: Eligibility) -> Transition:
    return Transition(found.name, Action.JUDGE, found.version, found.stage, "", 0)


def _decision(
    judgement: Transition, verdicts: Sequence[Verdict], problems: tuple[str, ...], around: Surroundings
) -> Decision:
    given = {verdict.gate: verdict for verdict in judgement.verdicts}
    outcome, difference = _compared(given, judgement.replaced)
    named, more = readable.worse_slices(given[SLICES]) if SLICES in given else ((), 0)
    return Decision(
        name=judgement.name,
        version=judgement.version,
        stage=judgement.stage,
        judged=bool(judgement.verdicts),
        found=outcome,
        difference=difference,
        champion=judgement.replaced,
        live=around.live,
        failed=tuple(v.gate for v in verdicts if not v.passed and v.gate not in (APPROVAL, ELIGIBILITY)),
        overridden=tuple(v.gate for v in verdicts if OVERRIDDEN in v.numbers),
        slices=named,
        more_slices=more,
        weakened=readable.weakened_in(given[POLICY]) if POLICY in given else None,
        doubts=_doubts(given),
        problems=problems if judgement.verdicts and around.situation not in _THERE else (),
        approvals_missing=_approvals_missing(verdicts),
        situation=around.situation,
        back_to=around.back_to,
        foreign=around.foreign,
        same_as=around.same_as,
    )


def _compared(given: Mapping[str, Verdict], champion: int | None) -> tuple[Found, MeasuredDifference | None]:
    beside = given.get(CHAMPION)
    if beside and champion:
        if readable.different_in(beside) == 0:
            return Found.SAME, _difference(beside, readable.difference_in(beside), champion=champion)
        difference = _difference(beside, readable.difference_in(beside), champion=champion)
        return (_outcome(difference.by), difference) if difference else (Found.NOT_COMPARED, None)
    over = given.get(BASELINE)
    hardest = readable.hardest_baseline(over) if over else None
    if over is None or hardest is None:
        return Found.NOT_COMPARED, None
    difference = _difference(over, hardest[1], baseline=hardest[0])
    return (_outcome(hardest[1]), difference)


def _difference(
    verdict: Verdict, by: Interval | None, champion: int | None = None, baseline: str = ""
) -> MeasuredDifference | None:
    if by is None:
        return None
    return MeasuredDifference(by, readable.metric_in(verdict), readable.rows_in(verdict), champion, baseline)


def _outcome(by: Interval) -> Found:
    return Found.BETTER if by.low > 0 else Found.WORSE if by.high < 0 else Found.UNCLEAR


def _doubts(given: Mapping[str, Verdict]) -> Doubts:
    beside, over = given.get(CHAMPION), given.get(BASELINE)
    tested = readable.rows_in(over) if over else None
    return Doubts(
        few=readable.few_in(beside) if beside else None,
        calibration=readable.calibration_in(given[THRESHOLDS]) if THRESHOLDS in given else None,
        test_rows=tested if tested is not None and tested < _FEW_ROWS else None,
        newest=readable.worse_on_newest(beside) if beside else 0.0,
    )


def _approvals_missing(verdicts: Iterable[Verdict]) -> int:
    approval = next((v for v in verdicts if v.gate == APPROVAL and not v.passed), None)
    return int(approval.numbers.get("needed", 1) - approval.numbers.get("given", 0)) if approval else 0
