"""The gates between the stages: evidence in, a verdict with its reason and numbers out."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from slipway.core.intervals import paired_differences
from slipway.core.metrics import METRICS, Metric, Outcome, measure
from slipway.core.spec import Experiment, Margin
from slipway.types import Interval, Stage, Verdict

Fields = Mapping[str, tuple[str, bool]]
"""The inputs or outputs of a model: name → (MLflow type, required)."""

# What a caller sends as one type is accepted as the other, by MLflow's own rules of schema enforcement.
_WIDER = {
    "integer": {"long", "double"},
    "long": {"double"},
    "float": {"double"},
    "boolean": set(),
}


@dataclass(frozen=True)
class Champion:
    """The version that is in Production, scored on the challenger's test rows.

    outcome is None, and `problem` says why, when it could not be scored there.
    """

    version: int
    outcome: Outcome | None
    inputs: Fields
    outputs: Fields
    problem: str = ""


@dataclass(frozen=True)
class Evidence:
    """All that the gates judge one version by; every outcome is of the same test rows."""

    experiment: Experiment
    challenger: Outcome
    inputs: Fields
    outputs: Fields
    baselines: Mapping[str, Outcome] = field(default_factory=dict)
    champion: Champion | None = None
    seed: int = 0

    @property
    def metric(self) -> Metric:
        return METRICS[self.experiment.search.metric]

    def differences(self) -> Mapping[str, Interval]:
        """By how much the challenger is better than each baseline and the champion, with 95 % intervals, in one pass."""
        others = {f"baseline:{name}": outcome for name, outcome in self.baselines.items()}
        if self.champion and self.champion.outcome:
            others["champion"] = self.champion.outcome
        if not self.metric.fits(self.experiment.task, self.challenger):
            return {}
        comparable = {name: o for name, o in others.items() if self.metric.fits(self.experiment.task, o)}
        sign = 1.0 if self.metric.greater_is_better else -1.0
        prepared = {name: self.metric.prepare(outcome) for name, outcome in comparable.items()}
        return paired_differences(
            self.metric.prepare(self.challenger), prepared, self.challenger.rows, sign=sign, seed=self.seed
        )


Gate = Callable[[Evidence, Mapping[str, Interval]], Verdict]
"""A gate sees the evidence and its paired differences."""


def judge(evidence: Evidence, stage: Stage) -> tuple[Verdict, ...]:
    """Run the gates that stand before a stage, all of them, and return their verdicts.

    Before Staging: thresholds and the baseline. Before Production: also what was specified, the champion, the signature.
    Before None and Archived there is no gate.
    """
    gates = GATES.get(stage, ())
    differences = evidence.differences() if gates else {}
    return tuple(gate(evidence, differences) for gate in gates)


def specified(evidence: Evidence, _: Mapping[str, Interval]) -> Verdict:
    """Goal, owner and target metric are there: a problem without a specification is never released."""
    experiment = evidence.experiment
    wanted = {
        "scope.goal": experiment.scope.goal,
        "scope.owner": experiment.scope.owner,
        f"gates.thresholds.{experiment.search.metric}": experiment.search.metric in experiment.gates.thresholds,
    }
    missing = [key for key, value in wanted.items() if not value]
    if missing:
        return Verdict("specified", False, f"experiment.yaml does not say {', '.join(missing)}; say it and train again")
    return Verdict("specified", True, f"goal, owner ({experiment.scope.owner}) and target metric are declared")


def thresholds(evidence: Evidence, _: Mapping[str, Interval]) -> Verdict:
    """Each declared threshold holds on the test rows."""
    values = measure(evidence.experiment.task, evidence.challenger)
    parts: list[str] = []
    passed, numbers = True, dict[str, float]()
    for name, bound in evidence.experiment.gates.thresholds.items():
        value = values.get(name, float("nan"))
        holds = value >= bound if METRICS[name].greater_is_better else value <= bound
        side = "at least" if METRICS[name].greater_is_better else "at most"
        parts.append(f"{name} {value:.4f} {'is' if holds else 'is not'} {side} {bound:g}")
        numbers |= {name: value, f"{name}_bound": bound}
        passed &= holds
    reason = "; ".join(parts) or "no threshold is declared"
    return Verdict("thresholds", passed, f"{reason} (on {evidence.challenger.rows:,} test rows)", numbers)


def beats_baseline(evidence: Evidence, differences: Mapping[str, Interval]) -> Verdict:
    """The model is better than every baseline on the same test rows, by more than the margin, and not by chance."""
    margin = (evidence.experiment.gates.beats_baseline or Margin()).margin
    compared = {key.removeprefix("baseline:"): d for key, d in differences.items() if key.startswith("baseline:")}
    if not compared:
        return Verdict("beats_baseline", False, f"no baseline can be compared by {evidence.metric.name}")
    failed = {name: d for name, d in compared.items() if not d.low > margin}
    shown = failed or compared
    parts = [f"{_compared(d)} than the baseline '{name}'" for name, d in shown.items()]
    need = f"; the whole interval has to be above {margin:g}" if failed else ""
    verb = "does not beat the baseline: " if failed else ""
    numbers = {f"over_{name}": d.value for name, d in compared.items()} | {
        f"over_{name}_low": d.low for name, d in compared.items()
    }
    reason = f"{verb}{evidence.metric.name} is {'; '.join(parts)}{need} (on {evidence.challenger.rows:,} test rows)"
    return Verdict("beats_baseline", not failed, reason, numbers)


def not_worse_than_champion(evidence: Evidence, differences: Mapping[str, Interval]) -> Verdict:
    """The model is not worse than the one in Production on the same test rows, up to the margin."""
    champion, gate = evidence.champion, "not_worse_than_champion"
    if champion is None:
        return Verdict(gate, True, "nothing is in Production yet")
    if "champion" not in differences:
        why = champion.problem or f"one of the two gives no {evidence.metric.name}"
        return Verdict(gate, False, f"version {champion.version} in Production could not be compared: {why}")
    margin = (evidence.experiment.gates.not_worse_than_champion or Margin()).margin
    difference = differences["champion"]
    passed = difference.low >= -margin
    need = "" if passed else f"; the low end has to be at least {-margin:g}"
    reason = (
        f"{evidence.metric.name} is {_compared(difference)} than version {champion.version} in Production{need} "
        f"(on {evidence.challenger.rows:,} test rows)"
    )
    return Verdict(
        gate, passed, reason, {"difference": difference.value, "low": difference.low, "high": difference.high}
    )


def signature(evidence: Evidence, _: Mapping[str, Interval]) -> Verdict:
    """What callers of the served version send is still accepted, and what they get is of the same type."""
    if evidence.champion is None:
        return Verdict("signature", True, "nothing is served yet that callers rely on")
    breaks = [*_input_breaks(evidence.champion.inputs, evidence.inputs)]
    breaks += [
        f"the answer's type changes from {old} to {new}"
        for (old, _r), (new, _s) in zip(evidence.champion.outputs.values(), evidence.outputs.values(), strict=False)
        if old != new
    ]
    served = f"version {evidence.champion.version}"
    if breaks:
        return Verdict("signature", False, f"callers of {served} would break: {'; '.join(breaks)}")
    return Verdict("signature", True, f"everything that callers of {served} send is accepted")


GATES: Mapping[Stage, tuple[Gate, ...]] = {
    Stage.STAGING: (thresholds, beats_baseline),
    Stage.PRODUCTION: (specified, thresholds, beats_baseline, not_worse_than_champion, signature),
}


def _input_breaks(old: Fields, new: Fields) -> list[str]:
    breaks = []
    for name, (kind, required) in new.items():
        if name not in old:
            if required:
                breaks.append(f"'{name}' ({kind}) is now required and was not sent before")
            continue
        old_kind, old_required = old[name]
        if kind != old_kind and kind not in _WIDER.get(old_kind, ()):
            breaks.append(f"'{name}' changes from {old_kind} to {kind}")
        if required and not old_required:
            breaks.append(f"'{name}' could be left out before and is now required")
    return breaks


def _compared(difference: Interval) -> str:
    word = "better" if difference.value > 0 else "worse" if difference.value < 0 else "no different"
    amount = f" by {abs(difference.value):.4f}" if difference.value else ""
    return f"{word}{amount} (95 % interval {difference.low:+.4f} to {difference.high:+.4f})"
