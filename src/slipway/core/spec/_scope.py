"""`scope`: what is wanted, by whom, how seriously, and what a wrong answer costs."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from slipway.core.spec._section import Section, Text


class Maturity(StrEnum):
    POC = "poc"
    MVP = "mvp"
    PRODUCTION = "production"


class Costs(Section):
    """What a wrong answer of a binary task costs, in any one unit; a right one costs nothing."""

    false_positive: Annotated[float, Field(gt=0)]
    false_negative: Annotated[float, Field(gt=0)]


class Scope(Section):
    """The problem's own specification: without it nothing is released."""

    goal: Text
    decision: Text | None = Field(None, description="what is done with the answer")
    owner: Text | None = Field(None, description="who answers for it: a team's address")
    maturity: Maturity = Maturity.POC
    costs: Costs | None = Field(None, description="the decision threshold is tuned to them, on validation rows")
