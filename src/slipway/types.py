"""The small values that travel between packages."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Stage(StrEnum):
    """The stages of MLflow's registry, as MLflow spells them."""

    NONE = "None"
    STAGING = "Staging"
    PRODUCTION = "Production"
    ARCHIVED = "Archived"

    @property
    def words(self) -> str:
        """The stage for people, who would not know that MLflow's None means no stage yet."""
        return "not in a stage yet" if self is Stage.NONE else self.value

    @property
    def place(self) -> str:
        """The stage as it stands after "version 3 is"."""
        return self.words if self is Stage.NONE else f"in {self.value}"


HELD_STAGES = (Stage.STAGING, Stage.PRODUCTION)
"""The stages that one version at a time holds, in the order in which a version passes them."""


class UserRole(StrEnum):
    """The roles of the users of a server; each may do what the role before it may. Who has no other role is an author."""

    READER = "reader"
    AUTHOR = "author"
    APPROVER = "approver"
    PROMOTER = "promoter"
    ADMIN = "admin"


MOST_VERSION = 2**31 - 1
"""The largest version number that databases can store."""

MISSING_IN_CSV = ("", "NA", "NaN", "nan", "null")
"""The texts that stand for a missing value in every CSV file that is read; other words, such as None, are read as texts."""


JSON_FORMATS = ("dataframe_records", "dataframe_split", "instances", "inputs")
"""The JSON formats of MLflow's scoring protocol; a request has exactly one of these keys."""

JSON_ROW_FORMATS = ("dataframe_records", "instances")
"""The JSON formats that hold a list with an object for each row."""

JSON_BY_COLUMN = ("instances", "inputs")
"""The JSON formats that may hold an object with a list for each column instead."""


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong in a file; `message` says what was found and what is allowed."""

    line: int
    key: str
    message: str

    def __str__(self) -> str:
        return f"{self.key}: {self.message}" if self.key else self.message


@dataclass(frozen=True)
class Violation:
    """One broken promise of a data contract.

    Attributes:
        column: the column.
        rule: the rule that is broken.
        count: how many rows break it; 0 where it is not of rows.
        sample: up to five of these rows, as row numbers and values.
    """

    column: str
    rule: str
    count: int
    sample: tuple[tuple[Any, Any], ...] = ()

    def __str__(self) -> str:
        shown = ", ".join(f"row {row}: {value!r}" for row, value in self.sample)
        rows = f": {self.count} row(s)" if self.count else ""
        return f"{self.column}: {self.rule}{rows}" + (f" ({shown})" if shown else "")


@dataclass(frozen=True)
class Verdict:
    """The verdict of one gate on one version, with its reason and the numbers that it rests on."""

    gate: str
    passed: bool
    reason: str
    numbers: Mapping[str, float] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        return {"gate": self.gate, "passed": self.passed, "reason": self.reason, "numbers": dict(self.numbers)}


@dataclass(frozen=True)
class Interval:
    """A value with the two ends of its confidence interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.4f} ({self.low:.4f} to {self.high:.4f})"
