"""The stored inputs of a judgement: a version's files, its test rows, and the champion's files.

Each is verified by the digest that was registered, so that no later change counts.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mlflow import MlflowClient

from slipway.core.gates import Champion, Evidence
from slipway.core.release.judgement import Judged
from slipway.core.release.policy_gate import Rule
from slipway.core.spec import Experiment
from slipway.core.statistics.slices import slice_labels
from slipway.errors import Refusal
from slipway.registry.artifacts.fetch import fetch_verified
from slipway.registry.artifacts.models import inputs_of, outputs_of
from slipway.registry.demands.redeclaration import declared_now
from slipway.registry.eligibility import served_beside
from slipway.registry.evidence.bundle import EvidenceBundle
from slipway.registry.evidence.rescoring import SameRows, verified_rows
from slipway.registry.ledger import ledger_of
from slipway.registry.trust import DIGEST, require_as_written
from slipway.registry.versions import Version, get_version
from slipway.types import Stage
from slipway.workflows.promotion.rule import rule_of


@dataclass(frozen=True)
class JudgedInputs:
    """The stored inputs of a judgement, verified.

    Attributes:
        version: the version that is judged.
        files: the folder of its files.
        rows: its test rows, and its declaration as it is judged: held to the release policy in force.
        rows_digest: the digest of the rows.
        declared: its declaration: that of the run, with what was declared again since.
        rule: the demands that the declaration may not undercut.
        champion: the version to compare with; None for none.
        champion_files: the folder of the champion's files; None where they cannot be verified.
        problem: the reason for that; "" for none.
        champion_live: False where nothing is in Production, and the champion was there last.
        mark: the mark of the redeclaration that counts; empty without one.
        redeclared_by: everybody who declared the version again.
    """

    version: Version
    files: Path
    rows: SameRows
    rows_digest: str
    declared: Experiment
    rule: Rule
    champion: Version | None = None
    champion_files: Path | None = None
    problem: str = ""
    champion_live: bool = True
    mark: str = ""
    redeclared_by: tuple[str, ...] = ()

    def judged(self, bundle: EvidenceBundle) -> Judged:
        """Return the digests and numbers that name the inputs of a judgement on this bundle."""
        champion = self.champion
        return Judged(
            self.version.name,
            self.version.number,
            bundle.stage,
            self.version.tags[DIGEST],
            self.declared.digest,
            self.rows_digest,
            (champion.number, champion.tags.get(DIGEST, "")) if champion else None,
            bundle.newest_digest,
            self.rule.policies.digest,
            self.mark,
        )

    def evidence(self, bundle: EvidenceBundle) -> Evidence:
        """Return the evidence for the gates: the answers of the bundle with the stored truth, baselines and declaration."""
        experiment, tested = self.rows.experiment, self.rows.tested
        labels = {name: slice_labels(tested.rows[name]) for name in experiment.evaluation.columns}
        return Evidence(
            experiment,
            bundle.challenger,
            inputs_of(self.files),
            outputs_of(self.files),
            tested.baselines,
            self._champion(bundle),
            experiment.search.seed,
            bundle.newest,
            bundle.measured,
            labels,
            tested.rows,
        )

    def _champion(self, bundle: EvidenceBundle) -> Champion | None:
        if self.champion is None:
            return None
        files = self.champion_files
        fields = (inputs_of(files), outputs_of(files)) if files else ({}, {})
        answers = bundle.champion if files else None  # answers of other files than those registered say nothing of it
        problem = self.problem or bundle.problem
        return Champion(self.champion.number, answers, *fields, problem, bundle.unseen, self.champion_live)


@dataclass(frozen=True)
class Gathered:
    """An evidence bundle, and the inputs that it was gathered from, while they are on this disk."""

    bundle: EvidenceBundle
    inputs: JudgedInputs


def judged_inputs_of(
    client: MlflowClient, version: Version, stage: Stage, folder: Path, trusted: Sequence[str]
) -> JudgedInputs:
    """Download the inputs of a version's judgement. There is no champion before Staging.

    Here, once, a declaration is held to the release policy: for the client, which measures by it, and for the judge.

    Args:
        client: a client of the tracking server.
        version: the version that is judged.
        stage: the stage that it is judged for.
        folder: the folder that they are downloaded into.
        trusted: the types that the operator lets a model hold, beside those that the version's experiment declared.

    Raises UntrustedModel when the version's files or its test rows are not those that were registered, or MLflow would load
    another model from these files than the one that is judged.
    """
    files = fetch_verified(
        version, folder / "challenger"
    )  # first: the run of a version that is not ours has no evidence
    rows, digest = verified_rows(client, version, folder)
    allowed = (*rows.experiment.search.trusted_types, *trusted)
    require_as_written(files, allowed)
    rule = rule_of(client, version.name, version.number)
    now = declared_now(ledger_of(client, version.name), version.number, rows.experiment)
    held = replace(rows, experiment=rule.held(now.experiment))
    inputs = JudgedInputs(version, files, held, digest, now.experiment, rule, mark=now.mark, redeclared_by=now.people)
    served = served_beside(client, version.name, version.number) if stage is Stage.PRODUCTION else None
    if served is None or served.version == version.number:
        return inputs
    champion = get_version(client, version.name, served.version)
    try:
        champion_files, problem = fetch_verified(champion, folder / "champion"), ""
        require_as_written(champion_files, allowed)
    except Refusal as error:
        champion_files, problem = None, str(error)
    return replace(inputs, champion=champion, champion_files=champion_files, problem=problem, champion_live=served.live)
