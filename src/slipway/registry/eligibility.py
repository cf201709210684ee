"""The eligibility of a version for a stage, by the entries of its ledger."""

from mlflow import MlflowClient

from slipway.core.release.judgement import Eligibility
from slipway.core.release.judgement import eligibility as standing_of
from slipway.core.release.ledger import Entry
from slipway.core.release.policies import Policies
from slipway.core.release.transitions import Action, ServedBeside, Transition
from slipway.registry.demands.policy import policies_of
from slipway.registry.demands.redeclaration import redeclarations
from slipway.registry.ledger import MADE, Ledger, ledger_of
from slipway.registry.ledger_tags import ACTION, EVIDENCE_HASH
from slipway.registry.stages import holder
from slipway.registry.trust import DIGEST
from slipway.registry.versions import Version, list_versions
from slipway.types import Stage

_FINISHED = "attributes.status = 'FINISHED'"
# Entries without evidence judge nothing; MLflow's filter has no list of values, so each other action is left out by itself.
_JUDGES = " and ".join(
    [f"tags.`{EVIDENCE_HASH}` != ''", *(f"tags.`{ACTION}` != '{each}'" for each in Action if not each.judges)]
)


def eligibility(
    client: MlflowClient,
    ledger: Ledger,
    version: Version,
    stage: Stage,
    fresh: Transition | None = None,
    policies: Policies | None = None,
) -> Eligibility:
    """Return whether a version may move to Staging or Production.

    Args:
        client: a client of the registry.
        ledger: the ledger of the model.
        version: the version.
        stage: the stage that it would move to.
        fresh: a judgement of it that is not in the ledger yet.
        policies: the release policies of the model, where the caller has read them; None to read them here.
    """
    evidence = fresh.evidence if fresh else None
    transitions = [entry.transition for entry in deciding_entries(ledger, version.number, stage, evidence)]
    served = served_beside(client, version.name, version.number)
    entries = [*transitions, *([fresh] if fresh else [])]
    policy = (policies or policies_of(ledger)).digest
    return standing_of(version.name, version.number, stage, version.tags.get(DIGEST, ""), served, entries, policy)


def deciding_entries(ledger: Ledger, version: int, stage: Stage, evidence: str | None = None) -> list[Entry]:
    """Return the entries that decide whether a version may move: its newest judgement and redeclaration, and the decisions.

    The server picks them, so they are read in the same time from a ledger of any length, with comments of any number.

    evidence: the hash of other evidence, the decisions on which count instead; None for that of the newest judgement.
    """
    of_it = f"{_FINISHED} and tags.`slipway.version` = '{version}' and tags.`slipway.stage` = '{stage}'"
    judgements = ledger.entries(1, f"{of_it} and {_JUDGES}")
    on = evidence or next((entry.transition.evidence for entry in judgements), None)
    if on is None:
        return []
    rejections = ledger.entries(where=f"{of_it} and tags.`{ACTION}` = '{Action.REJECT}'")
    # A rejection of before stands where the judgements differ in their policy alone, so these are read as well.
    earlier = dict.fromkeys(entry.transition.evidence for entry in rejections if entry.transition.evidence != on)
    for evidence_then in earlier:
        judgements += ledger.entries(1, f"{of_it} and tags.`{EVIDENCE_HASH}` = '{evidence_then}' and {_JUDGES}")
    approvals = [
        entry
        for each in (on, *earlier)
        for entry in ledger.entries(
            where=f"{of_it} and tags.`{EVIDENCE_HASH}` = '{each}' and tags.`{ACTION}` = '{Action.APPROVE}'"
        )
    ]
    redeclared = ledger.entries(1, redeclarations(version))
    return sorted([*judgements, *rejections, *approvals, *redeclared], key=lambda entry: entry.transition.at_ms)


def served_beside(client: MlflowClient, name: str, version: int) -> ServedBeside | None:
    """Return the champion that a version is compared with before Production; None when no other version was ever there.

    While Production is empty, the last version there is the champion: otherwise archiving a champion would be the way round it.
    """
    if live := live_version(client, name):
        return ServedBeside(live)
    last = _last_in_production(client, name)
    if last in (None, version) or last not in {each.number for each in list_versions(client, name)}:
        return None
    return ServedBeside(last, live=False)


def _last_in_production(client: MlflowClient, name: str) -> int | None:
    ledger = ledger_of(client, name)
    if ledger is None:
        return None
    there = f"{MADE} and tags.`slipway.stage` = '{Stage.PRODUCTION}'"
    came = ledger.transitions(1, there)
    return came[0].version if came else None


def live_version(client: MlflowClient, name: str) -> int | None:
    """Return the number of the version in Production; None when Production is empty."""
    live = holder(client, name, Stage.PRODUCTION)
    return int(live.version) if live else None
