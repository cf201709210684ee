"""The pages of the board: models, their stage columns and ledgers, versions with their gates, and the buttons.

The package turns facts into HTML. It asks no server and decides nothing: the facts say what a button may do, or why not.

_frame     the frame of every page, and the stylesheet
_overview  all models
_beside    the version in Production beside another one
_model     one model and its ledger
_roles     what each role may do
_version   one version and its buttons
"""

from slipway.reports.board._beside import ChampionBeside, FactBeside, MetricBeside
from slipway.reports.board._frame import ButtonOutcome, Frame, Visitor, problem_page, stylesheet
from slipway.reports.board._model import LedgerCheck, LedgerLine, ModelPage, model_page
from slipway.reports.board._overview import ORDER, Approval, ModelLine, StageColumn, VersionStatus, overview_page
from slipway.reports.board._roles import RoleLine, RolesPage, roles_page
from slipway.reports.board._version import AnswersCompared, Button, StageGates, VersionPage, version_page

__all__ = [
    "ORDER",
    "AnswersCompared",
    "Approval",
    "Button",
    "ButtonOutcome",
    "ChampionBeside",
    "FactBeside",
    "Frame",
    "LedgerCheck",
    "LedgerLine",
    "MetricBeside",
    "ModelLine",
    "ModelPage",
    "RoleLine",
    "RolesPage",
    "StageColumn",
    "StageGates",
    "VersionPage",
    "VersionStatus",
    "Visitor",
    "model_page",
    "overview_page",
    "problem_page",
    "roles_page",
    "stylesheet",
    "version_page",
]
