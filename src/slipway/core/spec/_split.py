"""The section `split`: the rules that cut rows into training, validation and test rows."""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from slipway.core.spec._section import ColumnName, Fraction, Moment, OwnRef, Section, wrong

_VALIDATION = 0.15


class _Shares(Section):
    validation: Fraction | None = Field(None, description="share of the rows; default: 0.15")
    test: Fraction = 0.2
    folds: Annotated[int, Field(ge=2, le=20)] | None = Field(
        None, description="cross-validation: so many folds of all rows but the test rows, in place of a validation part"
    )

    @model_validator(mode="after")
    def _folds_are_the_validation(self) -> Self:
        if self.folds and self.validation:
            raise wrong("the folds are what is validated on; give one of folds and validation", "validation")
        return self

    @model_validator(mode="after")
    def _leave_room(self) -> Self:
        if self.validation_share + self.test >= 1:
            raise wrong(f"validation {self.validation_share} and test {self.test} leave nothing to train on")
        return self

    @property
    def validation_share(self) -> float:
        """The share of the validation rows; 0 with folds."""
        return 0.0 if self.folds else self.validation or _VALIDATION


class TimeSplit(_Shares):
    """Training rows are older than test rows; the rows are cut by date, or by share of the rows."""

    method: Literal["time"]
    validation_from: Moment | None = None
    test_from: Moment | None = None

    @model_validator(mode="after")
    def _dates_come_in_pairs(self) -> Self:
        if self.folds:
            if self.validation_from:
                raise wrong("the folds are what is validated on; take validation_from away", "validation_from")
            return self
        if (self.validation_from is None) != (self.test_from is None):
            raise wrong("give both validation_from and test_from, or neither and use validation and test")
        if self.validation_from and self.test_from and self.validation_from >= self.test_from:
            raise wrong(f"validation_from {self.validation_from} has to come before test_from {self.test_from}")
        return self


class GroupSplit(_Shares):
    """All rows of a group are in the same part."""

    method: Literal["group"]
    group: ColumnName


class RandomSplit(_Shares):
    """Rows are drawn at random, stratified by the target in a classification."""

    method: Literal["random"]


class OwnSplit(Section):
    """Folds by a function of the experiment's own; a share, a date, or the function itself cuts off the test part before."""

    method: Literal["own"]
    function: OwnRef = Field(
        description="module:function, or an entry point of the group slipway.splitters; it gets the rows and returns a "
        "scikit-learn splitter, or pairs of positions"
    )
    params: dict[str, Any] = Field(default_factory=dict, description="keyword arguments of the function")
    group: ColumnName | None = Field(None, description="the column that a splitter gets as groups")
    test: Fraction | Literal["first"] = Field(
        0.2, description="share of the rows, at random; first: the second side of the first pair of all rows"
    )
    test_from: Moment | None = Field(None, description="the first moment of the test part, in place of `test`")

    @property
    def folds(self) -> None:
        """The number of folds; None, since the function decides on it."""
        return None

    @model_validator(mode="after")
    def _one_test_part(self) -> Self:
        if self.test_from and "test" in self.model_fields_set:
            raise wrong("the test part is cut by a date or by a share; give one of test_from and test", "test")
        return self


Split = Annotated[TimeSplit | GroupSplit | RandomSplit | OwnSplit, Field(discriminator="method")]
