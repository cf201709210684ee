"""A transition as the tags of the MLflow run that is its entry in the ledger."""

import json
from collections.abc import Mapping

from slipway.core.release.transitions import Action, Transition
from slipway.types import Stage, Verdict

ACTION, VERSION, STAGE, EVIDENCE_HASH = "slipway.action", "slipway.version", "slipway.stage", "slipway.evidence"
GATE = "slipway.gate."
"""The beginning of the tags with the verdicts; the gate's name follows."""
NUMBERS = "slipway.numbers."
"""The beginning of the tags with the numbers of the verdicts; the gate's name follows."""
PASSED, _FAILED = "passed: ", "failed: "
_BY, _COMMENT, _DIGEST = "slipway.by", "slipway.comment", "slipway.digest"
_REPLACED, _KEPT, _OVERRIDES = "slipway.replaced", "slipway.kept", "slipway.overrides"
_POLICY, _DECLARED = "slipway.policy", "slipway.declared"
TAGS = (ACTION, VERSION, STAGE, EVIDENCE_HASH, _BY, _COMMENT, _DIGEST, _REPLACED, _KEPT, _OVERRIDES, _POLICY, _DECLARED)
"""The tags that a transition is made of, but for its verdicts."""


def tags_of_transition(transition: Transition) -> dict[str, str]:
    """Return the tags of a transition; its time and its end are facts of the run itself."""
    tags = {
        ACTION: transition.action.value,
        VERSION: str(transition.version),
        STAGE: transition.stage.value,
        _BY: transition.by,
        _COMMENT: transition.comment,
        _DIGEST: transition.digest,
        EVIDENCE_HASH: transition.evidence,
        "mlflow.note.content": f"{transition} by {transition.by}. {transition.comment}",
    }
    if transition.replaced:
        tags[_REPLACED] = str(transition.replaced)
    if transition.kept:
        tags[_KEPT] = transition.kept
    if transition.overrides:
        tags[_OVERRIDES] = ",".join(transition.overrides)
    if transition.policy:
        tags[_POLICY] = transition.policy
    if transition.declared:
        tags[_DECLARED] = transition.declared
    for verdict in transition.verdicts:
        tags[f"{GATE}{verdict.gate}"] = (PASSED if verdict.passed else _FAILED) + verdict.reason
        tags[f"{NUMBERS}{verdict.gate}"] = json.dumps({k: v for k, v in verdict.numbers.items() if v == v})
    return tags


def transition_of_tags(
    name: str, tags: Mapping[str, str], at_ms: int, metrics: Mapping[str, float] | None = None, *, complete: bool
) -> Transition:
    """Return the transition of an entry.

    Args:
        name: the registered model.
        tags: the tags of the entry's run.
        at_ms: the start of the run, in Unix milliseconds.
        metrics: the metrics of the run, which alone hold the numbers of the verdicts in an old entry.
        complete: whether the transition was made.
    """
    replaced, overrides = tags.get(_REPLACED), tags.get(_OVERRIDES)
    return Transition(
        name,
        Action(tags[ACTION]),
        int(tags[VERSION]),
        Stage(tags[STAGE]),
        tags.get(_BY, "unknown"),
        at_ms,
        int(replaced) if replaced else None,
        tags.get(_COMMENT, ""),
        verdicts_of_tags(tags, metrics),
        complete=complete,
        digest=tags.get(_DIGEST, ""),
        evidence=tags.get(EVIDENCE_HASH, ""),
        kept=tags.get(_KEPT, ""),
        overrides=tuple(overrides.split(",")) if overrides else (),
        policy=tags.get(_POLICY, ""),
        declared=tags.get(_DECLARED, ""),
    )


def verdicts_of_tags(tags: Mapping[str, str], metrics: Mapping[str, float] | None = None) -> tuple[Verdict, ...]:
    """Return the verdicts of an entry. metrics: of its run, which alone hold the numbers in an old entry."""
    return tuple(_verdict(tags, key, metrics or {}) for key in tags if key.startswith(GATE))


def _verdict(tags: Mapping[str, str], key: str, metrics: Mapping[str, float]) -> Verdict:
    gate, text = key.removeprefix(GATE), tags[key]
    numbers = tags.get(f"{NUMBERS}{gate}")
    measured = json.loads(numbers) if numbers else _measured(metrics, gate)
    return Verdict(gate, text.startswith(PASSED), text.partition(": ")[2], measured)


def _measured(metrics: Mapping[str, float], gate: str) -> dict[str, float]:
    return {key.removeprefix(f"{gate}."): value for key, value in metrics.items() if key.startswith(f"{gate}.")}
