"""The survey of a table of any size: a sample of its rows, the kind of each column, and counts over all rows.

The kinds are guessed from the first rows, and all rows are counted by these kinds while the sample is drawn. A column of which
the sample says otherwise is counted again, so that a table is rarely read twice.
"""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from slipway.core.spec import ColumnType
from slipway.data.blocks import Blocks
from slipway.data.profile.counting import Count, Counting
from slipway.data.profile.kind import ColumnKind
from slipway.data.profile.kinds import kind_of
from slipway.data.profile.sampling import RowSample, Sampler

_THREADS = 2


@dataclass(frozen=True)
class Survey:
    """The facts of a table.

    Attributes:
        sample: rows of the table; marks for missing values stand in them.
        kinds: the ColumnKind of each column that an experiment can declare.
        counts: the Count of each column over all rows.
        missing: all texts that stand for a missing value.
    """

    sample: RowSample
    kinds: Mapping[str, ColumnKind]
    counts: Mapping[str, Count]
    missing: tuple[str, ...]


def survey(table: Blocks, target: str) -> Survey:
    """Read a table and return its Survey; the values of the target's column are counted one by one.

    Raises FileUnusable.
    """
    sampler = Sampler(table.columns)
    blocks, first = table.read(), []
    for block in blocks:
        sampler.take(block)
        first.append(block)
        if sampler.is_full:
            break
    kinds = _kinds(table, sampler.sample())
    missing = _missing(table, kinds)
    counting = Counting(kinds, missing, (target,))
    with ThreadPoolExecutor(_THREADS) as threads:
        while first:
            counting.take(first.pop(0), threads)
        for block in blocks:
            sampler.take(block)
            counting.take(block, threads)
    sample = sampler.sample()
    kinds = _sure(kinds if sample.is_whole else _kinds(table, sample), counting)
    counts = _counted_again(table, kinds, counting, missing, target)
    return Survey(sample, kinds, counts, _missing(table, kinds))


def _kinds(table: Blocks, sample: RowSample) -> dict[str, ColumnKind]:
    kinds = {name: _by_the_dialect(kind_of(sample.frame[name], table.missing), table) for name in table.columns}
    return kinds if table.takes_marks else {name: _with_marks(kind) for name, kind in kinds.items()}


def _by_the_dialect(kind: ColumnKind, table: Blocks) -> ColumnKind:
    """Take a comma that may be either mark for the decimal comma that other columns of the file have."""
    if not kind.doubt or dict(kind.keys) != {"thousands": ","} or table.source.decimal != ",":
        return kind
    return replace(
        kind,
        type=ColumnType.FLOAT,
        why="numbers with decimal ',', as others of the file",
        keys={"decimal": ","},
        doubt="",
    )


def _with_marks(kind: ColumnKind) -> ColumnKind:
    """Return the ColumnKind of a column whose marks are values, since only CSV files have marks for a missing value."""
    if not kind.marks or kind.type is ColumnType.TEXT:
        return replace(kind, marks=())
    shown = ", ".join(map(repr, kind.marks))
    doubt = (
        f"{kind.why}, and {shown}, which only a CSV file can declare as missing; make them null where the table is made"
    )
    return ColumnKind(ColumnType.CATEGORY, f"{kind.why}, and {shown}", doubt=doubt)


def _missing(table: Blocks, kinds: Mapping[str, ColumnKind]) -> tuple[str, ...]:
    """Return the texts that stand for a missing value anywhere in the table, which is how its reader takes them."""
    found = sorted({mark for kind in kinds.values() for mark in kind.marks} - set(table.missing))
    return (*table.missing, *found)


def _sure(kinds: dict[str, ColumnKind], counting: Counting) -> dict[str, ColumnKind]:
    """Take back the ColumnKind of a column of which some row, outside of the sample, is of another kind."""
    return {
        name: _wider(kind, counting.counts[name]) if kind == counting.kind(name) else kind
        for name, kind in kinds.items()
    }


def _wider(kind: ColumnKind, count: Count) -> ColumnKind:
    if not count.odd:
        return kind
    if kind.type is ColumnType.INT and count.fractions == count.odd:
        return ColumnKind(ColumnType.FLOAT, f"numbers; few of them are no whole numbers, such as {count.example}", kind.keys,
                    kind.marks, kind.doubt)  # fmt: skip
    doubt = (
        f"nearly all values are of type {kind.type}, and {count.odd:,} are not, such as {count.example!r}; it is read as words "
        "until they are mended, or listed in data.source.nulls"
    )
    return ColumnKind(ColumnType.CATEGORY, f"not all of type {kind.type}", marks=kind.marks, doubt=doubt)


def _counted_again(
    table: Blocks, kinds: Mapping[str, ColumnKind], counting: Counting, missing: tuple[str, ...], target: str
) -> Mapping[str, Count]:
    """Return the counts by the final kinds; only columns whose ColumnKind is another than before are read again."""
    others = {name: kind for name, kind in kinds.items() if kind != counting.kind(name)}
    if (marks := _missing(table, kinds)) != missing:
        others = dict(kinds)
    if not others:
        return counting.counts
    again = Counting(others, marks, (target,))
    with ThreadPoolExecutor(_THREADS) as threads:
        for block in table.read():
            again.take(block, threads)
    return {**counting.counts, **again.counts}
