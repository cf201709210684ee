"""Results of a registered model: a version, a version that moved, and the history of all. MLflow is not imported."""

from typing import TYPE_CHECKING

from slipway.api.shown import Shown
from slipway.core.release.history import History, Verified
from slipway.core.release.transitions import Action, Transition
from slipway.reports.notebook import Sheet
from slipway.reports.words.spelling import moment

if TYPE_CHECKING:  # a history may be shown without pandas
    import pandas as pd


class MovedVersion(Shown, Transition):
    """An entry of the ledger: a version that moved, or that was approved, rejected or commented on."""

    @property
    def sheet(self) -> Sheet:
        facts = {"by": self.by, "at": moment(self.at), "comment": self.comment, "replaced version": self.replaced}
        return Sheet(
            title=f"{self.name}: {self}",
            passed=self.complete if self.action.moves else None,
            facts={name: value for name, value in facts.items() if value},
            verdicts=self.verdicts,
        )


class ModelHistory(Shown, History):
    """The holders of the stages, and who moved which version where, when and why."""

    @property
    def sheet(self) -> Sheet:
        return Sheet(
            title=str(self).splitlines()[0],
            columns=("at", "what", "by", "comment", "refused by"),
            rows=[
                (moment(each.at), str(each), each.by, each.comment, ", ".join(_failed(each)))
                for each in self.transitions
            ],
        )

    def to_frame(self) -> "pd.DataFrame":
        """Return one row a transition, oldest first."""
        import pandas as pd

        columns = ("at", "action", "version", "stage", "replaced", "by", "comment", "refused_by")
        rows = [
            (
                each.at,
                each.action.value,
                each.version,
                each.stage.value,
                each.replaced,
                each.by,
                each.comment,
                ", ".join(_failed(each)),
            )
            for each in self.transitions
        ]
        return pd.DataFrame(rows, columns=list(columns)).astype({"replaced": "Int64"})


class VerifiedLedger(Shown, Verified):
    """What the check of a ledger found."""

    @property
    def sheet(self) -> Sheet:
        return Sheet(
            title=str(self).splitlines()[0], passed=not self.findings, warnings=[str(each) for each in self.findings]
        )


def _failed(transition: Transition) -> list[str]:
    judged = transition.action in (Action.JUDGE, Action.REFUSE)
    return [verdict.gate for verdict in transition.verdicts if not verdict.passed] if judged else []
