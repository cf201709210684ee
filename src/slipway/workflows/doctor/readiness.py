"""The questions of readiness: can this problem be released, and what is missing? Answered from what can be checked."""

from collections.abc import Sequence
from dataclasses import dataclass

from slipway.core.gates import every_gate
from slipway.core.promises import NOT_MEASURED, promises
from slipway.core.release.transitions import APPROVAL
from slipway.core.spec import Experiment, Maturity, undeclared
from slipway.errors import SlipwayError, some_of
from slipway.settings import Settings
from slipway.types import Stage
from slipway.workflows.doctor import surroundings
from slipway.workflows.doctor.findings import Diagnosis, Examined, Level, doubt, fault, fine, one_line
from slipway.workflows.project import Declared, declared

_MOST_NAMED = 6


@dataclass(frozen=True)
class DataAnswer:
    """What was found of the data: rows, and what is doubted of them; or why they cannot be used."""

    rows: int = 0
    doubts: tuple[str, ...] = ()
    problem: str = ""


def ready(settings: Settings, name: str) -> Diagnosis:
    """Answer the questions of readiness of one experiment. Nothing is trained, and nothing is written.

    Raises UnknownName, and SpecInvalid for a declaration that cannot be read.
    """
    spec = declared(settings, name)
    experiment = spec.experiment
    data = _data(spec)
    findings = (
        _goal(experiment),
        _people(experiment),
        _classical(experiment),
        *_on_data(experiment, data),
        _known(experiment),
        surroundings.server(settings),
        _without_a_meeting(experiment),
        _sla(experiment),
    )
    return Diagnosis(f"Is {name} ready to be released?", findings, _ripe(experiment, data, findings))


def _data(spec: Declared) -> DataAnswer:
    """Read the data as a run would: source, contract, split, leaks."""
    from slipway.workflows.training.prepare import check_code, prepare  # scikit-learn: only who asks for the data waits

    try:
        check_code(spec)
        prepared = prepare(spec)
    except SlipwayError as error:
        return DataAnswer(problem=one_line(error))
    return DataAnswer(len(prepared.frame), tuple(map(str, prepared.doubts)))


def _goal(experiment: Experiment) -> Examined:
    subject, metric = "Is there a goal that can be measured?", experiment.search.metric
    bound = experiment.gates.thresholds.get(metric)
    if experiment.scope.goal.startswith("TODO"):
        todo = "declare `scope.goal`: one sentence that says what is predicted, for whom and when"
        return doubt(subject, "nobody has written it down yet", todo)
    if bound is None:
        todo = f"agree on a value of {metric} below which nothing is released, and declare `gates.thresholds: {{{metric}: …}}`"
        return doubt(subject, f"'{experiment.scope.goal}', measured by {metric}, and no value is asked for", todo)
    return fine(subject, f"'{experiment.scope.goal}': {metric} {bound:g}")


def _people(experiment: Experiment) -> Examined:
    subject, scope = "Is there an owner, and a decision that it serves?", experiment.scope
    missing = [key for key in ("owner", "decision") if not getattr(scope, key)]
    if missing:
        why = "nothing comes to Production without" if "owner" in missing else "maturity mvp asks for it"
        return doubt(subject, f"no {' and no '.join(missing)}", f"declare `scope.{missing[0]}`: {why}")
    return fine(subject, f"{scope.owner}: {scope.decision}")


def _classical(experiment: Experiment) -> Examined:
    subject = "Is there a classical solution to beat?"
    if experiment.baseline.rule:
        return fine(subject, experiment.baseline.rule)
    _, constant = experiment.task.traits.constant
    todo = 'write down what is done today, as a function, and name it: `baseline: {rule: "features:today"}`'
    return doubt(subject, f"none but the {constant}", todo)


def _on_data(experiment: Experiment, data: DataAnswer) -> Sequence[Examined]:
    subject = "Is the data reachable, in one place, and under contract?"
    if data.problem:
        return [fault(subject, data.problem, f"`slipway check {experiment.name}` shows all of it")]
    source, sla = experiment.data.source.declared, experiment.data.sla
    found = [
        fine(subject, f"{data.rows:,} rows of {source} keep the contract of {len(experiment.data.columns)} columns")
    ]
    promised = sla.min_rows > 1 or sla.max_age_days is not None
    if not promised:
        todo = "agree with who supplies the data: `data.sla: {min_rows: …, max_age_days: …}`"
        found.append(doubt("Does its supplier promise how much and how fresh?", "nothing is promised", todo))
    if data.doubts:
        todo = f"`slipway check {experiment.name}` lists them"
        found.append(doubt("Does the data give the target away?", some_of(data.doubts, 1), todo))
    return found


def _known(experiment: Experiment) -> Examined:
    subject = "Is each feature known when the prediction is made?"
    unsaid = [name for name in experiment.data.features if not experiment.data.columns[name].known]
    if not unsaid:
        return fine(subject, "each says how")
    return doubt(subject, f"nobody says how of {some_of(unsaid, _MOST_NAMED)}", "declare `known` of each")


def _without_a_meeting(experiment: Experiment) -> Examined:
    subject = "Can it be released without a meeting?"
    gates = [gate.name for gate in every_gate(experiment) if Stage.PRODUCTION in gate.stages]
    asked = experiment.gates.approval
    if APPROVAL not in gates and not experiment.gates.own:
        return fine(subject, f"yes: {len(gates)} gates decide, and no person has to")
    if APPROVAL not in gates:
        return fine(subject, f"yes: {len(gates)} gates and {len(experiment.gates.own)} of its own decide")
    number = asked.number if asked else 1
    whom = ", ".join(asked.approvers) if asked and asked.approvers else "anybody but its authors"
    return fine(subject, f"{number} approval(s) by {whom}, on the board; {len(gates) - 1} gates decide the rest")


def _sla(experiment: Experiment) -> Examined:
    subject, promised = "Are its promises measured?", promises(experiment)
    unmeasured = [str(each.key) for each in promised if each.measured == NOT_MEASURED]
    if not promised:
        todo = "promise what callers rely on, such as `sla: {p99_ms: 50}`"
        return doubt(subject, "nothing is promised", todo)
    if unmeasured:
        return doubt(subject, f"not yet: {', '.join(unmeasured)}", "measure these by other means, or take them away")
    return fine(subject, ", ".join(map(str, promised)))


def _ripe(experiment: Experiment, data: DataAnswer, findings: Sequence[Examined]) -> str:
    """Return the highest maturity whose duties are met, in a sentence."""
    if data.problem:
        return f"{experiment.name} is not ready for a proof of concept: its data cannot be used"
    served = next(each for each in findings if each.subject == "tracking server")
    met = [maturity for maturity in Maturity if not undeclared(_as_if(experiment, maturity))]
    lacks = {m: [duty.key for duty in undeclared(_as_if(experiment, m))] for m in Maturity if m not in met}
    reached = max(met, key=list(Maturity).index, default=None)
    words = (
        f"{experiment.name} can be trained"
        if reached is None
        else f"{experiment.name} declares enough for maturity {reached}"
    )
    following = next((m for m in Maturity if m in lacks), None)
    if following:
        words += f"; {following} needs {some_of(lacks[following], _MOST_NAMED)} too"
    return words if served.level is not Level.FAULT else f"{words}; no server is there to release it on"


def _as_if(experiment: Experiment, maturity: Maturity) -> Experiment:
    return experiment.model_copy(update={"scope": experiment.scope.model_copy(update={"maturity": maturity})})
