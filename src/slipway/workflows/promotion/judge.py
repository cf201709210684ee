"""The judgement of an evidence bundle: it is compared with the stored inputs, and the gates run on both."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from mlflow import MlflowClient

from slipway.core.gates import Measured, gates_before, judge
from slipway.core.prediction import encode, weights_of
from slipway.core.release.judgement import approval, compared_and_now
from slipway.core.release.people import Staff, who_may_approve
from slipway.core.release.policy_gate import policy_verdict
from slipway.core.release.transitions import APPROVAL, Action, ServedBeside, Transition
from slipway.core.spec import ApprovalGate, name_of
from slipway.core.statistics.metrics import Array
from slipway.errors import Refusal, UsageError
from slipway.registry.artifacts.models import temporary_folder
from slipway.registry.evidence.bundle import EvidenceBundle
from slipway.registry.trust import DIGEST
from slipway.registry.versions import get_version
from slipway.types import HELD_STAGES, Stage, Verdict
from slipway.workflows.promotion.judged_inputs import Gathered, JudgedInputs, judged_inputs_of
from slipway.workflows.promotion.own_gates import marked_as_kept
from slipway.workflows.promotion.rule import authors
from slipway.workflows.promotion.transition import transition_of

_MOST_CHARACTERS, _MOST_NUMBERS = 2000, 30


def judged(
    client: MlflowClient,
    bundle: EvidenceBundle,
    name: str,
    by: str,
    gathered: Gathered | None = None,
    trusted: Sequence[str] = (),
    staff: Staff | None = None,
) -> Transition:
    """Return the judgement of an evidence bundle; nothing is written.

    The gates run here, on the answers of the bundle and on the truth, baselines and declaration as they are stored.

    Args:
        client: a client of the tracking server.
        bundle: the evidence bundle.
        name: the registered model.
        by: the user who asks.
        gathered: the inputs that this very process gathered and verified for the bundle; for any other bundle, the inputs
            are fetched and verified here.
        trusted: the types that the operator of the judge lets a model hold, beside those that its experiment declared.
        staff: the users of the server, each with the role for the model; None where nobody has to log in.

    Raises UsageError for a bundle of another model or stage, UntrustedModel for stored files that changed or that MLflow would
    load otherwise than Slipway, Refusal for a bundle of other files than the registered ones, or of another champion than the
    present one.
    """
    if bundle.name != name or bundle.stage not in HELD_STAGES:
        raise UsageError(
            f"the evidence bundle is of {bundle.name} for {bundle.stage}; allowed is one of {name} for Staging or Production"
        )
    version = get_version(client, name, bundle.version)
    with temporary_folder() as made:
        if gathered and gathered.bundle is bundle and gathered.inputs.version == version:
            inputs = gathered.inputs
        else:
            inputs = judged_inputs_of(client, version, bundle.stage, Path(made), trusted)
        _require_same(bundle, inputs)
        experiment = inputs.rows.experiment
        bundle = replace(bundle, measured=_own_as_declared(bundle.measured, inputs))
        verdicts = (
            _on_policy(inputs, bundle.stage, verified=staff is not None),
            *judge(inputs.evidence(bundle), bundle.stage),
        )
        if APPROVAL in gates_before(experiment, bundle.stage):
            asked = experiment.gates.approval or ApprovalGate()
            theirs = authors(version, inputs.rule.policies, inputs.redeclared_by)
            verdicts = (*verdicts, approval(asked.number, (), who_may_approve(name, asked, theirs, staff)))
        judgement = transition_of(
            client, by, version, Action.JUDGE, bundle.stage, "", verdicts, inputs.judged(bundle).hash
        )
    champion = bundle.champion_version
    compared = champion[0] if champion else None
    return replace(judgement, replaced=compared, policy=inputs.rule.policies.digest, declared=inputs.mark)


def _on_policy(inputs: JudgedInputs, stage: Stage, *, verified: bool) -> Verdict:
    rule, version = replace(inputs.rule, verified=verified), inputs.version
    theirs = authors(version, rule.policies, inputs.redeclared_by)
    return policy_verdict(rule, inputs.declared, version.number, stage, theirs)


def _require_same(bundle: EvidenceBundle, inputs: JudgedInputs) -> None:
    version, tested = inputs.version, inputs.rows.tested
    if bundle.digest != version.tags[DIGEST]:
        raise Refusal(
            f"the evidence bundle is of other files than are registered as {version.name} version {version.number}"
        )
    champion = inputs.champion
    live = (champion.number, champion.tags.get(DIGEST, "")) if champion else None
    if bundle.champion_version != live:
        served = ServedBeside(champion.number, inputs.champion_live) if champion else None
        compared = compared_and_now(bundle.champion_version[0] if bundle.champion_version else None, served)
        raise Refusal(f"the evidence bundle compares with {compared}; nothing was moved. Run it again")
    truth = encode(tested.truth, tested.classes)
    weights = weights_of(tested.rows, inputs.rows.experiment.data)
    for outcome in (bundle.challenger, bundle.champion):
        if outcome is not None and not np.array_equal(outcome.truth, truth, equal_nan=True):
            raise Refusal(f"the evidence bundle is not of the rows that version {version.number} was tested on")
        if outcome is not None and not _same_weights(outcome.weights, weights):
            raise Refusal(f"the evidence bundle weighs rows otherwise than version {version.number} declares")
    if bundle.unseen is not None and bundle.unseen.shape != truth.shape:
        raise UsageError(
            "the evidence bundle marks other rows than the test rows as unseen by the version in Production"
        )


def _same_weights(given: Array | None, stored: Array | None) -> bool:
    return (given is None and stored is None) or (
        given is not None and stored is not None and np.array_equal(given, stored)
    )


def _own_as_declared(measured: Measured, inputs: JudgedInputs) -> Measured:
    """Keep one verdict for each declared gate of the experiment's own; a gate without a verdict did not pass."""
    given = {verdict.gate: verdict for verdict in measured.own}
    names = [name_of(ref) for ref in inputs.rows.experiment.gates.own]
    verdicts = (
        given.get(name) or Verdict(name, False, "the evidence bundle has no verdict of this gate") for name in names
    )
    return replace(measured, own=tuple(marked_as_kept(_bounded(verdict), inputs) for verdict in verdicts))


def _bounded(verdict: Verdict) -> Verdict:
    """Cut a verdict so that it fits a tag of MLflow: code of the experiment wrote the reason and the numbers."""
    numbers = {key[:100]: value for key, value in list(verdict.numbers.items())[:_MOST_NUMBERS]}
    return replace(verdict, reason=verdict.reason[:_MOST_CHARACTERS], numbers=numbers)
