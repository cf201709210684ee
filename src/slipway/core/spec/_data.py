"""`data`: where the rows come from, and what each column promises."""

import re
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from slipway.core.spec._section import CodeRef, ColumnName, Moment, Section, Share, Text, wrong
from slipway.errors import did_you_mean

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")


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

    @property
    def is_encoded(self) -> bool:
        """Whether the automatic preprocessing turns a column of this type into numbers."""
        return self.is_numeric or self is ColumnType.CATEGORY


_KINDS = ("function", "csv", "parquet")
"""The fields of Source that say where the rows are; exactly one is given."""


class Source(Section):
    """The source of the rows: a Python function, a CSV file or a Parquet file."""

    function: CodeRef | None = Field(
        None, description="module:function in the experiment's folder; returns a DataFrame"
    )
    params: dict[str, Any] = Field(default_factory=dict, description="keyword arguments of the function")
    csv: Text | None = Field(None, description="a path, relative to the experiment's folder")
    parquet: Text | None = Field(None, description="a path, relative to the experiment's folder")

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        given = [kind for kind in _KINDS if getattr(self, kind)]
        if len(given) != 1:
            raise wrong(f"give exactly one of {', '.join(_KINDS)}; found {', '.join(given) or 'none'}")
        if self.params and not self.function:
            raise wrong(f"params are the arguments of a function, and the source is {given[0]}", "params")
        for kind in ("csv", "parquet"):
            if _URL.match(named := getattr(self, kind) or ""):
                raise wrong(
                    f"{named} is a URL, and URLs are not read yet; name a file of this machine, "
                    "or a function of the experiment's folder that fetches the rows",
                    kind,
                )
        return self

    @property
    def declared(self) -> str:
        """The function or the path, as it is declared."""
        return next(str(value) for kind in _KINDS if (value := getattr(self, kind)))


class Column(Section):
    """The promises of one column, and how its value is known when the prediction is made."""

    type: ColumnType
    nulls: Share = Field(0.0, description="the largest share of missing values")
    min: float | Moment | None = None
    max: float | Moment | None = None
    values: list[bool | int | float | str] | None = Field(None, min_length=1, description="every value that may occur")
    unique: bool = False
    feature: bool = Field(True, description="false = kept beside the features, never given to a model")
    known: Text | None = Field(None, description="how the value is known when the prediction is made")

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
    source: Source
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
        """The columns that a model may see, in the order of the contract."""
        kept = {self.target, self.id, self.time, self.weight}
        return tuple(name for name, column in self.columns.items() if column.feature and name not in kept)

    @property
    def encoded(self) -> tuple[str, ...]:
        """The features that the automatic preprocessing encodes: all but texts and times."""
        return tuple(name for name in self.features if self.columns[name].type.is_encoded)

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
        if column.type not in (ColumnType.INT, ColumnType.FLOAT):
            raise wrong(f"a weight is a number; '{self.weight}' is {column.type}", "weight")
        if column.nulls:
            raise wrong("a row without its weight cannot be counted; take nulls away", "columns", self.weight, "nulls")
        return self
