"""The role of each column: a feature, an id, a group, a time, or none, with the reason."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

import pandas as pd

from slipway.core.spec import ColumnType
from slipway.data.leaks import OWN_VALUE_SHARE
from slipway.data.profile.counting import Count
from slipway.data.profile.kind import ColumnKind
from slipway.data.profile.names import says_another_time, says_entity, says_id, says_moment, says_person
from slipway.data.profile.survey import Survey
from slipway.data.profile.values import read_as, without_marks

_NEARLY_ALL_MISSING = 0.99
_LEAST_MOMENTS, _LEAST_GROUPS = 10, 20
_IN_ORDER = 0.98
_WORDS = (ColumnType.CATEGORY, ColumnType.TEXT)


class Role(StrEnum):
    FEATURE = "feature"
    TARGET = "target"
    ID = "id"
    TIME = "time"
    GROUP = "group"
    KEPT = "kept beside the features"
    LEFT_OUT = "left out"


@dataclass(frozen=True)
class ColumnProfile:
    """The facts of one column and the role that is guessed from them.

    Attributes:
        name: the name as the table has it.
        kind: the type and the form of the texts.
        count: the counts over all rows.
        missing: the share of missing values.
        distinct: the number of different values in the sample.
        examples: the most frequent values of a column of words, at most a dozen.
        in_order: whether the rows of the table are in the order of the column.
        role: what the column is for.
        why: the reason for the role, or for the type where the column is a feature.
        doubt: what a person has to decide; empty where there is nothing.
    """

    name: str
    kind: ColumnKind
    count: Count
    missing: float
    distinct: int
    examples: tuple[str, ...] = ()
    in_order: bool = False
    role: Role = Role.FEATURE
    why: str = ""
    doubt: str = ""

    def as_role(self, role: Role, why: str, doubt: str = "") -> "ColumnProfile":
        """Return the column in another role."""
        return replace(self, role=role, why=why, doubt=doubt or self.doubt)


def column_profiles(survey: Survey, target: str, wishes: Mapping[str, Role]) -> list[ColumnProfile]:
    """Return the profile of each column, in the order of the table.

    Args:
        survey: the facts of the table.
        target: the name of the target.
        wishes: the roles of columns that a person chose.
    """
    profiles = []
    for name in survey.kinds:
        plain = _facts(survey, name)
        if name == target:
            profiles.append(plain.as_role(Role.TARGET, ""))
        elif name in wishes:
            profiles.append(plain.as_role(wishes[name], "as it was asked for"))
        else:
            profiles.append(_guessed(plain, survey))
    return _one_of_each(profiles)


def _facts(survey: Survey, name: str) -> ColumnProfile:
    kind, count = survey.kinds[name], survey.counts[name]
    values = without_marks(survey.sample.frame[name], survey.missing)
    distinct = values.dropna().astype(str) if values.dtype == object else values.dropna()
    examples = tuple(map(str, distinct.value_counts().index[:12])) if kind.type is ColumnType.CATEGORY else ()
    in_order = kind.type is ColumnType.DATETIME and _in_order(read_as(values, kind))
    share = count.missing / survey.sample.rows if survey.sample.rows else 1.0
    return ColumnProfile(
        name, kind, count, share, distinct.nunique(), examples, in_order, Role.FEATURE, kind.why, kind.doubt
    )


def _guessed(column: ColumnProfile, survey: Survey) -> ColumnProfile:
    if not column.distinct:
        return column.as_role(Role.LEFT_OUT, "it has no value at all")
    if column.distinct == 1 and not column.count.missing and column.count.low == column.count.high:
        value = column.examples[0] if column.examples else survey.sample.frame[column.name].iloc[0]
        return column.as_role(Role.LEFT_OUT, f"it is always {value}")
    if column.kind.type is ColumnType.TEXT and "plain values" in column.kind.why:
        return column.as_role(Role.LEFT_OUT, column.kind.why)
    if column.missing >= _NEARLY_ALL_MISSING:
        doubt = f"{column.missing:.1%} of its values are missing, so it is no feature"
        return column.as_role(Role.KEPT, f"{column.missing:.1%} are missing", doubt)
    return _named(column, survey)


def _named(column: ColumnProfile, survey: Survey) -> ColumnProfile:
    """Return the profile of a column whose values may name rows or things."""
    rows = len(survey.sample.frame) * (1 - column.missing)
    kind, count = column.kind.type, column.count
    unique = column.distinct >= len(survey.sample.frame) and not count.missing
    whole = kind is ColumnType.INT and count.low is not None and count.high is not None
    consecutive = whole and unique and count.high - count.low + 1 == survey.sample.rows  # type: ignore[operator]
    if unique and (consecutive or (says_id(column.name) and kind in (ColumnType.INT, *_WORDS))):
        if survey.sample.is_whole or consecutive:
            return column.as_role(Role.ID, "each row has a value of its own")
        return column.as_role(Role.KEPT, f"names the row, by the {column.distinct:,} rows that were looked at")
    if kind is ColumnType.CATEGORY and column.distinct > max(_LEAST_GROUPS, OWN_VALUE_SHARE * rows):
        doubt = f"{column.distinct:,} values in {rows:,.0f} rows name the row, so it is no feature"
        return column.as_role(Role.KEPT, "nearly each row has a value of its own", doubt)
    if says_entity(column.name) and kind in (ColumnType.INT, ColumnType.CATEGORY) and column.distinct >= _LEAST_GROUPS:
        return column.as_role(
            Role.GROUP, f"{column.distinct:,} values in {rows:,.0f} rows: the rows of one belong together"
        )
    if kind is ColumnType.INT and says_id(column.name) and column.distinct > OWN_VALUE_SHARE * rows:
        return column.as_role(Role.KEPT, "names things, by its name")
    return column


def _in_order(times: pd.Series) -> bool:
    steps = times.diff().dropna()
    if not len(steps):
        return False
    zero = pd.Timedelta(0)
    return bool(max((steps >= zero).mean(), (steps <= zero).mean()) >= _IN_ORDER)


def _one_of_each(profiles: list[ColumnProfile]) -> list[ColumnProfile]:
    """Choose one id, one time and one group; other columns of these roles go back to what they are otherwise."""
    groups = [each for each in profiles if each.role is Role.GROUP]
    chosen = {
        Role.ID: next((each.name for each in profiles if each.role is Role.ID), ""),
        Role.TIME: _time(profiles),
        Role.GROUP: next((each.name for each in groups if says_person(each.name)), groups[0].name if groups else ""),
    }
    return [_settled(each, chosen) for each in profiles]


def _time(profiles: list[ColumnProfile]) -> str:
    """Return the name of the column that is the moment of an observation; "" where none looks like it."""
    asked = next((each.name for each in profiles if each.role is Role.TIME), "")
    fitting = [
        each
        for each in profiles
        if each.role is Role.FEATURE
        and each.kind.type is ColumnType.DATETIME
        and not each.count.missing
        and each.distinct >= _LEAST_MOMENTS
        and not says_another_time(each.name)
        and (each.in_order or says_moment(each.name))
    ]
    best = max(fitting, key=lambda each: (each.in_order, says_moment(each.name)), default=None)
    return asked or (best.name if best else "")


def _settled(column: ColumnProfile, chosen: Mapping[Role, str]) -> ColumnProfile:
    if column.name == chosen[Role.TIME] and column.role is Role.FEATURE:
        order = "nearly every row follows the one before" if column.in_order else "by its name"
        return column.as_role(Role.TIME, f"the moment of the prediction: {order}")
    if column.role is Role.ID and column.name != chosen[Role.ID]:
        return column.as_role(Role.KEPT, "names the row too")
    if column.role is Role.GROUP and column.name != chosen[Role.GROUP]:
        why = "codes of things, by the name"
        return replace(column, role=Role.FEATURE, kind=replace(column.kind, type=ColumnType.CATEGORY, keys={}), why=why)
    return column
