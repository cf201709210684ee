"""What was measured of one system on one table, before it is scored."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tabular.answers import Answers


@dataclass(frozen=True)
class Outcome:
    """wall_s: from the start until the model is fitted. row_ms: of an answer to one row. steps: the seconds of each command.

    not_compiled: why the endpoint answers by the model itself, which takes longer; empty where a plan answers.
    """

    answers: Answers
    wall_s: float
    row_ms: float
    steps: Mapping[str, float] = field(default_factory=dict)
    not_compiled: str = ""
