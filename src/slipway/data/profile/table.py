"""The profile of a table: its columns with their roles, its target with the task, its split, and the doubts."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from slipway.core.naming import unusable
from slipway.core.spec import ColumnType
from slipway.core.tasks import Task
from slipway.data.blocks import Blocks
from slipway.data.profile.columns import ColumnProfile, Role, column_profiles
from slipway.data.profile.survey import Survey, survey
from slipway.data.profile.target import TargetGuess, target_of
from slipway.errors import DataUnusable, UnknownName, some_of

_FEW_ROWS = 200
_SHOWN = 6


@dataclass(frozen=True)
class Wishes:
    """The guesses that a person took away from the profile; None where the table is to say it."""

    task: Task | None = None
    metric: str | None = None
    time: str | None = None
    id: str | None = None


@dataclass(frozen=True)
class Doubt:
    """One thing of a table that a person has to look at. about: the column, or `rows` or `target`."""

    about: str
    message: str

    def __str__(self) -> str:
        return f"{self.about}: {self.message}"


@dataclass(frozen=True)
class TableProfile:
    """What a table is, as far as its values tell.

    Attributes:
        survey: the sample, and the counts over all rows.
        columns: the columns that an experiment can declare, in the order of the table.
        target: the task that the target suggests.
        split: the section `split` of the declaration.
        split_why: the reason for the split.
        doubts: what a person has to look at, the worst first.
        baseline: what the class prior, or the mean, reaches on the test rows by the metric; None where that is not known yet.
    """

    survey: Survey
    columns: tuple[ColumnProfile, ...]
    target: TargetGuess
    split: Mapping[str, Any]
    split_why: str
    doubts: tuple[Doubt, ...]
    baseline: float | None = None

    @property
    def rows(self) -> int:
        return self.survey.sample.rows

    def of_role(self, role: Role) -> str:
        """Return the name of the first column of a role; "" where there is none."""
        return next((column.name for column in self.columns if column.role is role), "")

    def features(self) -> list[ColumnProfile]:
        """Return the columns that a model is to see."""
        return [column for column in self.columns if column.role is Role.FEATURE]

    def with_doubts(self, *more: Doubt) -> "TableProfile":
        """Return the profile with further doubts, which are told first."""
        return replace(self, doubts=(*more, *self.doubts))

    def kept_from_models(self, name: str, why: str) -> "TableProfile":
        """Return the profile with a column that is no feature, for a reason."""
        columns = [each.as_role(Role.KEPT, why) if each.name == name else each for each in self.columns]
        return replace(self, columns=tuple(columns))

    def split_at_random(self, why: str) -> "TableProfile":
        """Return the profile with a random split, for a reason."""
        return replace(self, split={"method": "random"}, split_why=why)


def profile_table(table: Blocks, target: str, wishes: Wishes) -> TableProfile:
    """Read a table and return its profile.

    Raises UnknownName for a column that the table does not have, DataUnusable for a table that nothing can be learned from,
    and FileUnusable.
    """
    for role, name in (("target", target), ("time", wishes.time), ("id", wishes.id)):
        if name is not None and name not in table.columns:
            raise _not_there(role, name, table)
    facts = survey(table, target)
    if not facts.sample.rows:
        raise DataUnusable("the table has no rows; a header alone says nothing about its columns")
    asked = {name: role for name, role in ((wishes.time, Role.TIME), (wishes.id, Role.ID)) if name}
    if wishes.time:
        _require_moments(wishes.time, facts)
    columns = column_profiles(facts, target, asked)
    guess = target_of(next(each for each in columns if each.role is Role.TARGET), wishes.task, wishes.metric)
    split, why = _split(columns)
    doubts = [*_of_target(columns, guess, target), *_of_rows(facts, columns), *_of_names(table), *_of_columns(columns)]
    return TableProfile(facts, tuple(columns), guess, split, why, tuple(doubts))


def _require_moments(name: str, facts: Survey) -> None:
    kind, missing = facts.kinds[name], facts.counts[name].missing
    if kind.type is not ColumnType.DATETIME:
        raise DataUnusable(f"{name} cannot be the time: it holds {kind.why}; make times of them in the table")
    if missing:
        raise DataUnusable(
            f"{name} cannot be the time: {missing:,} rows have none, and would be in no part of the split"
        )


def _not_there(role: str, name: str, table: Blocks) -> Exception:
    if name in table.names:
        why = unusable(name) or f"{table.names.count(name)} columns have this name"
        return DataUnusable(f"{name!r} cannot be the {role}: {why}; rename the column in the table")
    return UnknownName("column", name, table.columns)


def _split(columns: list[ColumnProfile]) -> tuple[dict[str, Any], str]:
    """Return the rule that cuts the rows, and the reason; how many parts validate is for the effort of the search to say."""
    time = next((each for each in columns if each.role is Role.TIME), None)
    if time:
        return {"method": "time"}, f"the newest rows test what older ones taught, by {time.name}"
    group = next((each for each in columns if each.role is Role.GROUP), None)
    if group and not group.count.missing:
        return {"method": "group", "group": group.name}, f"the rows of one {group.name} stay together"
    return {"method": "random"}, "no column says when a row was observed, or which rows belong together"


def _of_target(columns: list[ColumnProfile], guess: TargetGuess, target: str) -> list[Doubt]:
    column = next(each for each in columns if each.role is Role.TARGET)
    doubts = [Doubt(target, message) for message in guess.doubts]
    if column.count.missing:
        doubts.append(
            Doubt(target, f"{column.count.missing:,} rows ({column.missing:.1%}) have no target; they are left out")
        )
    return doubts


def _of_rows(facts: Survey, columns: list[ColumnProfile]) -> list[Doubt]:
    rows, doubts = facts.sample.rows, []
    if rows < _FEW_ROWS:
        doubts.append(Doubt("rows", f"{rows} rows are few: intervals are wide, and a promotion may ask for more rows"))
    names = [each.name for each in columns if each.role not in (Role.ID, Role.LEFT_OUT)]
    again = int(pd.util.hash_pandas_object(facts.sample.frame[names].astype("str"), index=False).duplicated().sum())
    if again:
        among = "" if facts.sample.is_whole else f" of the {len(facts.sample.frame):,} that were looked at"
        doubts.append(Doubt("rows", f"{again:,} rows{among} are equal to an earlier one; are they counted twice?"))
    return doubts


def _of_names(table: Blocks) -> list[Doubt]:
    """Name the columns that no experiment can declare."""
    doubts = []
    for name, count in Counter(table.names).items():
        if not name.strip():
            doubts.append(
                Doubt(
                    "columns", f"{count} header cell(s) are empty; nothing can name these columns, so they are left out"
                )
            )
        elif why := unusable(name):
            doubts.append(Doubt("columns", f"{name[:40]!r} is left out: {why}; rename it in the table"))
        elif count > 1:
            doubts.append(
                Doubt("columns", f"{count} columns are named {name}, so they are left out; rename them in the table")
            )
    return doubts


def _of_columns(columns: list[ColumnProfile]) -> list[Doubt]:
    doubts = [Doubt(each.name, each.doubt) for each in columns if each.doubt]
    doubts += _listed(
        "free text; look whether it is known in time, and whether it names persons",
        [each for each in columns if each.role is Role.FEATURE and each.kind.type is ColumnType.TEXT],
    )
    times = [each for each in columns if each.kind.type is ColumnType.DATETIME and each.role is not Role.LEFT_OUT]
    if len(times) > 1:
        doubts += _listed("several columns hold times; data.time has to be the moment of the prediction", times)
    if any(each.role is Role.TIME for each in columns):
        groups = [each for each in columns if each.role is Role.GROUP]
        doubts += _listed("rows that belong together lie on both sides of the split by time", groups)
    doubts += _listed("left out", [each for each in columns if each.role is Role.LEFT_OUT and not each.doubt])
    return doubts


def _listed(what: str, columns: list[ColumnProfile]) -> list[Doubt]:
    """Return one Doubt for columns of which the same is to be said."""
    if not columns:
        return []
    return [Doubt("columns", f"{what}: {some_of([each.name for each in columns], _SHOWN)}")]
