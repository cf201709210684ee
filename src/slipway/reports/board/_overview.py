"""The page of all models, with the versions in each stage."""

from dataclasses import dataclass
from datetime import datetime

from slipway.reports._templates import render_html
from slipway.reports.board._frame import Frame
from slipway.reports.board._lists import ORDERS, VERDICTS, Listing, Pages, WorkLine
from slipway.types import Stage

ORDER = (Stage.NONE, Stage.STAGING, Stage.PRODUCTION, Stage.ARCHIVED)
"""The stages, in the order in which a version passes through them."""


@dataclass(frozen=True)
class Approval:
    """One approval of a version.

    Attributes:
        by: The person who approved.
        at: The time of the approval.
        stage: The stage that the approval is for.
        comment: The comment of the approver.
        expired: Whether the newest judgement is of other evidence than the approved one.
        overrides: The gates that the approval overrides.
        overruled: Whether somebody rejected the same evidence afterwards.
    """

    by: str
    at: datetime
    stage: Stage
    comment: str = ""
    expired: bool = False
    overrides: tuple[str, ...] = ()
    overruled: bool = False

    @property
    def counts(self) -> bool:
        return not (self.expired or self.overruled)


@dataclass(frozen=True)
class VersionStatus:
    """The status of one version in its stage.

    Attributes:
        number: The number of the version.
        since: When the version came into its stage; for a version that never moved, when it was registered.
        by: The person who moved the version there.
        passed: Whether the gates before the stage `judged` passed last; None where the gates were not asked.
        judged: The stage of the last judgement.
        approvals: The approvals of the version.
        same_as: An earlier version that is the same model; None for none.
        rejected: Whether somebody rejected what was judged last.
        waits: Whether what was judged last waits for an approval.
        stale: Whether what passed last no longer counts, so that the gates have to be asked again.
    """

    number: int
    since: datetime | None = None
    by: str = ""
    passed: bool | None = None
    judged: Stage | None = None
    approvals: tuple[Approval, ...] = ()
    same_as: int | None = None
    rejected: bool = False
    waits: bool = False
    stale: bool = False

    @property
    def approved_by(self) -> tuple[str, ...]:
        """The people whose approval still counts, each once."""
        return tuple(dict.fromkeys(approval.by for approval in self.approvals if approval.counts))


@dataclass(frozen=True)
class StageColumn:
    """One stage and its versions, newest first; `more` older versions are not shown."""

    stage: Stage
    versions: tuple[VersionStatus, ...] = ()
    more: int = 0


@dataclass(frozen=True)
class ModelLine:
    """One registered model with a StageColumn for each stage, from None to Archived."""

    name: str
    columns: tuple[StageColumn, ...]
    goal: str = ""

    @property
    def live(self) -> VersionStatus | None:
        """The version in Production."""
        return next((v for column in self.columns if column.stage is Stage.PRODUCTION for v in column.versions), None)


@dataclass(frozen=True)
class OverviewPage:
    """A page of the models, and above it the first of what waits for the visitor.

    Attributes:
        models: The models of this page.
        listing: The parameters of the list.
        found: How many models the list has.
        total: How many models the visitor may read.
        pages: The place of the page.
        owners: The owners of all models.
        work: What waits longest for the visitor.
        waiting: How many things wait for the visitor.
    """

    models: tuple[ModelLine, ...]
    listing: Listing
    found: int
    total: int
    pages: Pages
    owners: tuple[str, ...] = ()
    work: tuple[WorkLine, ...] = ()
    waiting: int = 0


def overview_page(page: OverviewPage, frame: Frame) -> str:
    """Write a page of the models, with the form that searches them."""
    return render_html(
        "board_overview.html.j2",
        page=page,
        listing=page.listing,
        frame=frame,
        stages=ORDER,
        verdicts=VERDICTS,
        orders=ORDERS,
    )
