"""The words and choices that a person gives to `slipway init`."""

from dataclasses import dataclass, field

from slipway.data.profile import Wishes

TODO = "TODO: say in one sentence what is predicted, for whom and when"


@dataclass(frozen=True)
class InitWishes:
    """The choices for a new experiment; None where the table, or a person later, is to say it.

    Attributes:
        target: the column to predict.
        table: the guesses that the person took away from the table.
        goal: what is predicted, for whom and when.
        decision: what is done with the answer.
        owner: who answers for it.
        maturity: poc or mvp.
        effort: fast, normal or best.
    """

    target: str
    table: Wishes = field(default_factory=Wishes)
    goal: str | None = None
    decision: str | None = None
    owner: str | None = None
    maturity: str = "poc"
    effort: str = "normal"
