"""The kind of a column: its type, the form of its texts, and the reasons."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from slipway.core.spec import ColumnType


@dataclass(frozen=True)
class ColumnKind:
    """The kind of a column as a sample of its values shows it.

    Attributes:
        type: the type to declare.
        why: the reason for the type.
        keys: further keys of the declaration: `format` of times, `decimal` and `thousands` of numbers.
        marks: texts of the column that stand for a missing value.
        doubt: what a person has to decide; empty where there is nothing.
    """

    type: ColumnType
    why: str
    keys: Mapping[str, str] = field(default_factory=dict)
    marks: tuple[str, ...] = ()
    doubt: str = ""
