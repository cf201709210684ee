"""The section `scope`: the goal, its owner, the maturity, and the costs of wrong answers."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from slipway.core.spec._section import Section, Text


class Maturity(StrEnum):
    POC = "poc"
    MVP = "mvp"
    PRODUCTION = "production"


class Costs(Section):
    """The costs of a wrong answer in a binary task, in any one unit; a right answer costs nothing."""

    false_positive: Annotated[float, Field(gt=0)]
    false_negative: Annotated[float, Field(gt=0)]


class Scope(Section):
    """The goal of the experiment and the people behind the goal; without a complete scope nothing is released."""

    goal: Text
    decision: Text | None = Field(None, description="what is done with the answer")
    owner: Text | None = Field(None, description="who answers for it: a team's address")
    maturity: Maturity = Maturity.POC
    costs: Costs | None = Field(None, description="the decision threshold is tuned to them, on validation rows")
