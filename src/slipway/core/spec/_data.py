"""`data`: where the rows come from, and what each column promises."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from slipway.core.forms import EPOCHS, THOUSANDS, Form
from slipway.core.spec._section import ColumnName, Moment, Section, Share, Text, wrong
from slipway.core.spec._source import SourceOrUrl
from slipway.core.times import is_zone, why_no_format
from slipway.errors import did_you_mean


class ColumnType(StrEnum):
    INT = "int"
    FLOAT = "float"
    BOOL = "bool"
    CATEGORY = "category"
    TEXT = "text"
    DATETIME = "datetime"

    @property
    def is_numeric(self) -> bool:
        return self in (ColumnType.INT, ColumnType.FLOAT, ColumnType.BOOL)


NUMBERS = (ColumnType.INT, ColumnType.FLOAT)
"""The types of a column whose values are amounts."""
_FORMS = {
    **dict.fromkeys(("decimal", "thousands", "unit"), (NUMBERS, "numbers")),
    **dict.fromkeys(("format", "zone"), ((ColumnType.DATETIME,), "times")),
    "words": ((ColumnType.BOOL,), "truth values"),
}
"""The keys of Column that say how values are written in files, with the types that take each."""


class Column(Section):
    """The promises of one column, and how its value is known when the prediction is made."""

    type: ColumnType
    nulls: Share = Field(0.0, description="the largest share of missing values")
    min: float | Moment | None = None
    max: float | Moment | None = None
    values: list[bool | int | float | str] | None = Field(None, min_length=1, description="every value that may occur")
    unique: bool = False
    feature: bool | None = Field(
        None,
        description="false = kept beside the features, never given to a model; true = the column of data.time is a feature too",
    )
    known: Text | None = Field(None, description="how the value is known when the prediction is made")
    decimal: Literal[".", ","] | None = Field(None, description="the mark before the decimals of numbers in files")
    thousands: str | None = Field(
        None, description="the mark between groups of three digits in files: . , ' _ or a blank"
    )
    unit: Text | None = Field(
        None, description="a sign that may stand before or behind a number in files, such as € or %"
    )
    format: Text | None = Field(
        None, description="the form of times in files, as strptime takes it; epoch_s or epoch_ms"
    )
    zone: Text | None = Field(None, description="the IANA time zone of times that files give without one; default: UTC")
    words: dict[Text, bool] | None = Field(None, min_length=2, description="the words of a truth value in files")

    @property
    def form(self) -> Form | None:
        """The form of the values in files; None for the usual one."""
        words = tuple((self.words or {}).items())
        declared = Form(
            self.type,
            self.decimal or ".",
            self.thousands or "",
            self.unit or "",
            self.format or "",
            self.zone or "",
            words,
        )
        return declared if declared != Form(self.type) else None

    @model_validator(mode="after")
    def _form_fits_the_type(self) -> Self:
        for key, (kinds, of) in _FORMS.items():
            if getattr(self, key) is not None and self.type not in kinds:
                raise wrong(f"{key} is the form of {of}; the column is {self.type}, so take it away", key)
        if self.thousands is not None and self.thousands not in THOUSANDS:
            raise wrong(f"found {self.thousands!r}; allowed is one of . , ' _ or a blank", "thousands")
        if self.thousands and self.thousands == (self.decimal or "."):
            raise wrong(
                f"'{self.thousands}' is the mark before the decimals too; one of the two is another", "thousands"
            )
        if self.format and self.format not in EPOCHS and (why := why_no_format(self.format)):
            raise wrong(why, "format")
        if self.zone and not is_zone(self.zone):
            raise wrong(f"there is no time zone '{self.zone}'; name one as in Europe/Berlin or UTC", "zone")
        if self.words and len(set(self.words.values())) < 2:
            raise wrong("name a word of each truth value, as in {Ja: true, Nein: false}", "words")
        return self

    @model_validator(mode="after")
    def _range_has_sense(self) -> Self:
        ends = {key: end for key, end in (("min", self.min), ("max", self.max)) if end is not None}
        for key, end in ends.items():
            if self.type in (ColumnType.CATEGORY, ColumnType.TEXT):
                raise wrong(f"min and max are for numbers and times; the column is {self.type}, use values", key)
            if isinstance(end, datetime) is self.type.is_numeric:
                wanted = "a number" if self.type.is_numeric else "a time, as in 2013-01-31"
                raise wrong(f"found {end}; the column is {self.type}, so this has to be {wanted}", key)
        if len(ends) == 2 and ends["min"] > ends["max"]:  # type: ignore[operator]  # both numbers, or both times
            raise wrong(f"min {self.min} is above max {self.max}", "min")
        if self.values is not None and self.type is ColumnType.DATETIME:
            raise wrong("times are promised by min and max, not by values", "values")
        return self


class DataSla(Section):
    """The promises of the supplier of the data."""

    min_rows: Annotated[int, Field(ge=1)] = 1
    max_age_days: Annotated[float, Field(gt=0)] | None = Field(
        None, description="age of the newest row in the time column"
    )


class Data(Section):
    source: SourceOrUrl
    target: ColumnName
    positive: bool | int | str | None = Field(
        None, description="the positive class of a binary task; default: the last in order"
    )
    id: ColumnName | None = Field(None, description="a column that is unique to each row")
    time: ColumnName | None = Field(None, description="the moment of the prediction")
    weight: ColumnName | None = Field(
        None, description="how much each row counts, in every fit and score; a number of at least 0, and no feature"
    )
    columns: dict[ColumnName, Column] = Field(min_length=2)
    sla: DataSla = DataSla()
    not_leaking: list[ColumnName] = Field(
        default_factory=list, description="features that know the target nearly perfectly, and rightly so"
    )

    @property
    def features(self) -> tuple[str, ...]:
        """The columns that a model may see, in the order of the contract.

        The moment of the prediction is one of them only where its column says `feature: true`.
        """
        return tuple(name for name, column in self.columns.items() if self._is_feature(name, column))

    def _is_feature(self, name: str, column: Column) -> bool:
        if name in (self.target, self.id, self.weight):
            return False
        return column.feature is True if name == self.time else column.feature is not False

    @model_validator(mode="after")
    def _download_is_known(self) -> Self:
        if self.source.parsed.scheme in ("http", "https") and not self.source.sha256:
            raise wrong(
                "rows that are downloaded need the digest of their file, so that each run has the same rows: give sha256, "
                "as `sha256sum FILE` prints it",
                *("source", "sha256"),
            )
        return self

    @model_validator(mode="after")
    def _names_are_declared(self) -> Self:
        for key in ("target", "time", "weight"):
            name = getattr(self, key)
            if name and name not in self.columns:
                raise wrong(f"'{name}' is not declared in data.columns{did_you_mean(name, self.columns)}", key)
        if self.time and self.columns[self.time].type is not ColumnType.DATETIME:
            raise wrong(f"'{self.time}' has to be of type datetime; it is {self.columns[self.time].type}", "time")
        if self.time and self.columns[self.time].nulls:
            raise wrong(
                "a row without its time is in no part of the data; take nulls away", "columns", self.time, "nulls"
            )
        if not self.features:
            raise wrong("no column is left as a feature", "columns")
        return self

    @model_validator(mode="after")
    def _weight_counts_rows(self) -> Self:
        if self.weight is None:
            return self
        column, others = self.columns[self.weight], {"target": self.target, "id": self.id, "time": self.time}
        if role := next((role for role, name in others.items() if name == self.weight), None):
            raise wrong(f"'{self.weight}' is the {role} already; a weight is a column of its own", "weight")
        if column.type not in NUMBERS:
            raise wrong(f"a weight is a number; '{self.weight}' is {column.type}", "weight")
        if column.nulls:
            raise wrong("a row without its weight cannot be counted; take nulls away", "columns", self.weight, "nulls")
        return self
