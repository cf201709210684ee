"""The experiment's own metrics for the gates, computed by the code that the run of the version kept.

The judge has none of that code, so it goes by these numbers, as it goes by the verdicts of own gates.
"""

from dataclasses import replace

import numpy as np

from slipway.core.gates import OWN_METRICS, Evidence, Measured, OwnScores
from slipway.errors import CodeInvalid
from slipway.progress import step
from slipway.settings import Settings
from slipway.workflows.promotion.judged_inputs import JudgedInputs
from slipway.workflows.promotion.own_gates import gate_code


def with_own_scores(settings: Settings, inputs: JudgedInputs, evidence: Evidence) -> Measured:
    """Return the measurements with the experiment's own metrics on the evidence, or with the reason why there are none.

    Other code than that of the run computes nothing: a threshold that it lets pass would say nothing of what was trained.
    """
    experiment, measured = evidence.experiment, evidence.measured
    if not experiment.search.metrics:
        return measured
    # Imported here: most versions have no metric of their own, and a command that asks the gates need not load a search.
    from slipway.search import own_metrics

    code = gate_code(settings, inputs)
    if code.differs:
        return _without(measured, f"it would be computed {code.differs}")
    try:
        with step(f"own metrics: {', '.join(experiment.search.metrics)}"):
            own = {metric.name: metric for metric in own_metrics(code.folder, experiment, inputs.rows.tested.classes)}
            ones = np.ones(evidence.challenger.rows)
            values = {name: metric.prepare(evidence.challenger)(ones) for name, metric in own.items()}
            searched = own.get(experiment.search.metric)
            differences = replace(evidence, own_metric=searched).differences() if searched else {}
    except CodeInvalid as error:
        return _without(measured, str(error).splitlines()[0])
    return replace(measured, scores=OwnScores(values, differences))


def _without(measured: Measured, why: str) -> Measured:
    return replace(measured, problems={**measured.problems, OWN_METRICS: why})
