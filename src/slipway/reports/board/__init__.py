"""The pages of the board: models, their stage columns and ledgers, versions with their gates, and the buttons.

The package turns facts into HTML. It asks no server and decides nothing: the facts say what a button may do, or why not.

_frame     the frame of every page, and the stylesheet
_lists     which models a list has, and what waits
_overview  all models
_work      what waits for the visitor
_model     one model and its ledger
_roles     what each role may do
_beside    the version in Production beside another one
_thread    what people said of a version
_version   one version and its buttons
"""

from slipway.reports.board._beside import ChampionBeside, FactBeside, MetricBeside
from slipway.reports.board._frame import ButtonOutcome, Frame, Visitor, problem_page, stylesheet
from slipway.reports.board._lists import ORDERS, VERDICTS, Listing, Pages, WorkLine
from slipway.reports.board._model import LedgerCheck, LedgerLine, ModelPage, model_page
from slipway.reports.board._overview import (
    ORDER,
    Approval,
    ModelLine,
    OverviewPage,
    StageColumn,
    VersionStatus,
    overview_page,
)
from slipway.reports.board._roles import RoleLine, RolesPage, roles_page
from slipway.reports.board._thread import SAYINGS, Thread
from slipway.reports.board._version import AnswersCompared, Button, RivalLine, StageGates, VersionPage, version_page
from slipway.reports.board._work import WorkPage, work_page

__all__ = [
    "ORDER",
    "ORDERS",
    "SAYINGS",
    "VERDICTS",
    "AnswersCompared",
    "Approval",
    "Button",
    "ButtonOutcome",
    "ChampionBeside",
    "FactBeside",
    "Frame",
    "LedgerCheck",
    "LedgerLine",
    "Listing",
    "MetricBeside",
    "ModelLine",
    "ModelPage",
    "OverviewPage",
    "Pages",
    "RivalLine",
    "RoleLine",
    "RolesPage",
    "StageColumn",
    "StageGates",
    "Thread",
    "VersionPage",
    "VersionStatus",
    "Visitor",
    "WorkLine",
    "WorkPage",
    "model_page",
    "overview_page",
    "problem_page",
    "roles_page",
    "stylesheet",
    "version_page",
    "work_page",
]
