"""The printed table: scores, ranks, what differs beyond the noise, and the goals to compare the last run with."""

import statistics
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from machine import table as aligned
from tabular.kept import AGAINST
from tabular.systems import AUTOGLUON, HISTGB, SLIPWAY

Row = Mapping[str, Any]
RIVALS = ("flaml", "lightgbm_tuned")


def report(rows: Sequence[Row], failed: Sequence[Row], systems: Sequence[str]) -> str:
    """Print scores by table, one line a system of all tables, the failures, the goals."""
    tables = list(dict.fromkeys(row["table"] for row in (*rows, *failed)))
    by = {(row["table"], row["system"]): row for row in rows}
    without = {(row["table"], row["system"]) for row in failed}
    header = ["table (* better, ! worse than histgb beyond the noise)", "metric", *systems]
    lines = [
        [
            name,
            _metric(name, rows),
            *("failed" if (name, system) in without else _cell(by.get((name, system))) for system in systems),
        ]
        for name in tables
    ]
    told = [f"failed: {row['system']} on {row['table']}: {row['reason']}" for row in failed]
    complete = measured_by_all(tables, {*by, *without})
    if len(complete) < len(tables):
        told.append(f"ranks are of the {len(complete)} of {len(tables)} tables that every system here was measured on")
    told += [f"not compiled: {row['table']}: {row['not_compiled']}" for row in rows if row.get("not_compiled")]
    return "\n".join(
        [
            aligned(header, lines),
            "",
            aligned(_HEADER, _overall(tables, complete, by, systems)),
            "",
            *told,
            *goals(tables, complete, by, without),
        ]
    )


_HEADER = ["system", "tables", "mean rank", "better", "worse", "× autogluon", "wall s", "row ms", "slowest row ms"]


def goals(
    tables: Sequence[str],
    complete: Sequence[str],
    by: Mapping[tuple[str, str], Row],
    failed: Collection[tuple[str, str]],
) -> list[str]:
    """Say of each goal how far the last run is from it. complete: the tables that ranks are taken of."""
    own = [by[name, SLIPWAY] for name in tables if (name, SLIPWAY) in by]
    if not own:
        return ["no goals: slipway answered no table"]
    ranks = mean_ranks(complete, by)
    tried = len(own) + sum(system == SLIPWAY for _, system in failed)
    worse = [row["table"] for row in own if _side(row) == "!"]
    slow = [row["table"] for row in own if row["row_ms"] >= 1]
    ratio = _ratio(tables, by, SLIPWAY)
    better = [name for name in RIVALS if ranks.get(name, float("inf")) < ranks[SLIPWAY]]
    checks = [
        ("tables without an edit", f"{len(own)} of {tried}", len(own) >= tried - 2),
        ("mean rank", f"{ranks[SLIPWAY]:.2f}, behind {', '.join(better) or 'neither rival'}", not better),
        ("worse than histgb beyond the noise", ", ".join(worse) or "nowhere", not worse),
        ("a row in less than 1 ms", f"not {', '.join(slow)}" if slow else "everywhere", not slow),
    ]
    if ratio is not None:
        checks.append(("median of its score over autogluon's", f"{ratio:.3f}", ratio <= 1.02))
    return [f"goal, {what}: {found}: {'met' if met else 'missed'}" for what, found, met in checks]


def measured_by_all(tables: Sequence[str], measured: Collection[tuple[str, str]]) -> list[str]:
    """The tables on which every system of the file has answered or failed."""
    systems = {system for _, system in measured}
    return [name for name in tables if all((name, system) in measured for system in systems)]


def mean_ranks(tables: Sequence[str], by: Mapping[tuple[str, str], Row]) -> dict[str, float]:
    """The mean rank of each system over the tables, 1 is best; a system without an answer shares the last places."""
    systems = list(dict.fromkeys(system for _, system in by))
    ranks: dict[str, list[float]] = {system: [] for system in systems}
    for name in tables:
        scores = {system: by[name, system]["score"] if (name, system) in by else float("inf") for system in systems}
        for system, score in scores.items():
            before = sum(other < score for other in scores.values())
            equal = sum(other == score for other in scores.values())
            ranks[system].append(before + (equal + 1) / 2)
    return {system: statistics.mean(found) if found else float("nan") for system, found in ranks.items()}


def _overall(
    tables: Sequence[str], complete: Sequence[str], by: Mapping[tuple[str, str], Row], systems: Sequence[str]
) -> list[list[str]]:
    ranks = mean_ranks(complete, by)
    lines = []
    for system in systems:
        rows = [by[name, system] for name in tables if (name, system) in by]
        if not rows:
            lines.append([system, "0", *["–"] * 7])
            continue
        ratio = _ratio(tables, by, system)
        sides = [_side(row) for row in rows]
        lines.append(
            [
                system,
                str(len(rows)),
                f"{ranks[system]:.2f}",
                "–" if system == HISTGB else str(sides.count("*")),
                "–" if system == HISTGB else str(sides.count("!")),
                "–" if ratio is None else f"{ratio:.3f}",
                f"{statistics.median(row['wall_s'] for row in rows):.1f}",
                f"{statistics.median(row['row_ms'] for row in rows):.2f}",
                f"{max(row['row_ms'] for row in rows):.2f}",
            ]
        )
    return lines


def _ratio(tables: Sequence[str], by: Mapping[tuple[str, str], Row], system: str) -> float | None:
    """The median of the system's score over AutoGluon's, on the tables that both answered."""
    found = [
        by[name, system]["score"] / by[name, AUTOGLUON]["score"]
        for name in tables
        if (name, system) in by and by.get((name, AUTOGLUON), {}).get("score")
    ]
    return statistics.median(found) if found else None


def _side(row: Row) -> str:
    against = row.get(AGAINST)
    if against is None or row["system"] == HISTGB:
        return ""
    return "*" if against["high"] < 0 else "!" if against["low"] > 0 else ""


def _cell(row: Row | None) -> str:
    return "– " if row is None else f"{row['score']:.4g}{_side(row) or ' '}"


def _metric(name: str, rows: Sequence[Row]) -> str:
    return next((row["metric"] for row in rows if row["table"] == name), "")
