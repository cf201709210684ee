"""The lines of `data.columns`: one for each column of the table, with its reason."""

from collections.abc import Iterator, Mapping
from typing import Any

from slipway.core.spec import NUMBERS, ColumnType, Source
from slipway.core.tasks import Task
from slipway.data.profile import ColumnProfile, Role, TableProfile, nulls_with_room, numbers_with_room
from slipway.workflows.init.yaml_lines import comment, line, scalar

_MOST_CLASSES_LISTED = 60
_FEW_VALUES = 8
_MOST_WHOLE = 10**15


def contract_lines(profile: TableProfile, source: Source) -> list[str]:
    """Return the lines below `columns:`, in the order of the table."""
    return [_line(column, profile, source) for column in profile.columns]


def _line(column: ColumnProfile, profile: TableProfile, source: Source) -> str:
    if column.role is Role.LEFT_OUT:
        return f"    {comment(f'{scalar(column.name)}: left out, {column.why}')}"
    if column.role is Role.ID:
        return f"    {comment(f'{scalar(column.name)}: the id, {column.why}')}"
    keys = dict(_keys(column, profile, source))
    return line(4, column.name, keys, _reason(column))


def _keys(column: ColumnProfile, profile: TableProfile, source: Source) -> Iterator[tuple[str, Any]]:
    target, kind = column.role is Role.TARGET, column.kind
    type_ = profile.target.type if target else kind.type
    yield "type", type_.value
    if type_ in (*NUMBERS, ColumnType.DATETIME):
        yield from _form(kind.keys, source)
    if column.role in (Role.KEPT, Role.GROUP):
        yield "feature", False
    if column.count.missing:
        yield "nulls", nulls_with_room(column.missing)
    if target and profile.target.task is not Task.REGRESSION:
        if len(profile.target.shares) <= _MOST_CLASSES_LISTED:
            yield "values", sorted(profile.target.shares, key=lambda value: (str(type(value)), value))
    elif type_ in NUMBERS and column.count.low is not None and column.count.high is not None:
        for key, end in zip(("min", "max"), numbers_with_room(column.count.low, column.count.high), strict=True):
            yield key, int(end) if end.is_integer() and abs(end) < _MOST_WHOLE else end


def _form(keys: Mapping[str, str], source: Source) -> Iterator[tuple[str, str]]:
    """Yield the keys that say how the texts of a column are read, where the dialect of the file does not say so already.

    A column with a key of its own is not read by the dialect any more, so it has all of them.
    """
    of_file = {"decimal": source.decimal, "thousands": source.thousands}
    if any(of_file.get(key) != value for key, value in keys.items()):
        yield from keys.items()


def _reason(column: ColumnProfile) -> str:
    """Return what was found, for the comment behind a column."""
    listed = column.role is Role.FEATURE and 1 < len(column.examples) == column.distinct <= _FEW_VALUES
    found = [f"{column.distinct} values: {', '.join(column.examples)}" if listed else column.why or "the target"]
    if column.kind.type in NUMBERS and column.count.low is not None:
        found.append(f"{column.count.low:.6g} to {column.count.high:.6g}")
    if column.count.missing:
        found.append(f"{column.missing:.1%} missing")
    return "; ".join(found)
