"""`slipway gates`: the verdicts on a version, before it moves."""

from dataclasses import dataclass
from html import escape
from typing import Any

from slipway.core.release.decision import Decision
from slipway.core.release.judgement import Eligibility
from slipway.core.release.transitions import Transition
from slipway.progress import step
from slipway.registry.eligibility import eligibility
from slipway.registry.permissions import Operation
from slipway.registry.versions import get_version
from slipway.reports.words.decision import markdown_sentence, sentence
from slipway.settings import Settings
from slipway.types import Stage
from slipway.workflows.promotion.decided import decision_on
from slipway.workflows.promotion.gather import gathered
from slipway.workflows.promotion.registrar import judging_gathered, registrar_of, require_not_live
from slipway.workflows.promotion.transition import open_ledger
from slipway.workflows.session import open_client


@dataclass(frozen=True)
class Gated:
    """The verdicts of the gates on a version.

    Attributes:
        eligibility: counts the approvals that are there now.
        judgement: as it was written to the ledger.
        decision: the decision by both.
    """

    eligibility: Eligibility
    judgement: Transition
    decision: Decision

    @property
    def passed(self) -> bool:
        return self.eligibility.holds

    def as_dict(self) -> dict[str, Any]:
        verdicts = [verdict.as_dict() for verdict in self.eligibility.verdicts]
        return {
            **self.judgement.as_dict(),
            "passed": self.passed,
            "decision": sentence(self.decision),
            "verdicts": verdicts,
        }

    def as_markdown(self) -> str:
        """Return the verdicts as a table, for a comment on a pull request."""
        rows = [f"| {'✅' if v.passed else '❌'} | `{v.gate}` | {_cell(v.reason)} |" for v in self.eligibility.verdicts]
        told = markdown_sentence(self.decision)
        return "\n".join([f"**{self._headline}.**", "", told, "", "| | gate | |", "|---|---|---|", *rows])

    def __str__(self) -> str:
        lines = [f"  {'✓' if v.passed else '✗'} {v.gate}: {v.reason}" for v in self.eligibility.verdicts]
        return "\n".join([self._headline, sentence(self.decision), *lines])

    @property
    def _headline(self) -> str:
        judged, waits = self.eligibility, self.decision.approvals_missing > 0
        let = self.passed or (waits and not self.decision.failed and not self.decision.problems)
        verdict = "passes the gates" if let else "does not pass the gates"
        yet = " and waits for approval" if let and waits else ""
        return f"{judged.name} version {judged.version} {verdict} before {judged.stage}{yet}; nothing was moved"


def _cell(text: str) -> str:
    """Escape a text for a cell of a Markdown table: the text may hold values of the data."""
    return escape(" ".join(text.split()), quote=False).replace("|", r"\|")


def gates(settings: Settings, name: str, version: int, stage: Stage = Stage.PRODUCTION) -> Gated:
    """Run the gates before Staging or Production and write the judgement to the ledger; nothing is moved.

    Raises UnknownName, UntrustedModel, and Refusal when the version is in Production already, or another came there meanwhile.
    """
    client = open_client(settings)
    ledger = open_ledger(client, name)
    challenger = get_version(client, name, version)
    require_not_live(challenger, stage)
    registrar = registrar_of(client, settings, Operation.JUDGE, name)
    with gathered(client, settings, challenger, stage) as evidence, step(f"gates before {stage}"):
        judgement = judging_gathered(registrar, evidence).judge(name, evidence.bundle)
    found = eligibility(client, ledger, challenger, stage)
    return Gated(found, judgement, decision_on(client, challenger, found))
