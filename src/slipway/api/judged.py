"""Results of the gates: the verdicts on a version."""

from slipway.api.shown import Shown
from slipway.reports.notebook import Sheet
from slipway.reports.words.decision import sentence
from slipway.workflows.release.gates import Gated


class VersionVerdicts(Shown, Gated):
    """The verdicts of the gates on a version that was not moved."""

    @property
    def sheet(self) -> Sheet:
        return Sheet(
            title=str(self).splitlines()[0],
            passed=self.passed,
            said=sentence(self.decision),
            verdicts=self.eligibility.verdicts,
        )
