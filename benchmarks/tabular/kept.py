"""What was measured so far: a JSON file that is written after each measurement, and the loss of each row beside it.

A benchmark that was cut off goes on from there. The losses of rows are kept so that systems can be compared row by row later.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from machine import RESULTS, write_results
from tabular.catalogue import TABLES, Table
from tabular.scores import Floats, minus
from tabular.systems import HISTGB, SYSTEMS, VENV

Row = dict[str, Any]
AGAINST = f"minus_{HISTGB}"


@dataclass
class Kept:
    """name: of the file in results/. settings: with which its rows were measured. on: the machine at the first of them.

    failed: a row for each system that gave no answers, with the reason. big: what `--big` measured.
    """

    name: str
    settings: Mapping[str, Any]
    on: Mapping[str, Any]
    versions: dict[str, str]
    rows: list[Row] = field(default_factory=list)
    failed: list[Row] = field(default_factory=list)
    big: list[Row] = field(default_factory=list)

    def has(self, table: str, system: str) -> bool:
        return any((row["table"], row["system"]) == (table, system) for row in (*self.rows, *self.failed))

    def add(self, table: Table, row: Row, losses: Floats) -> None:
        """Put in a measured row in place of an older one, and compare the systems on that table anew."""
        self._losses(table.name, row["system"]).parent.mkdir(parents=True, exist_ok=True)
        np.save(self._losses(table.name, row["system"]), losses)
        self._without(table.name, row["system"])
        self.rows.append(row)
        self._compare(table)
        self.write()

    def add_failure(self, table: str, system: str, reason: str) -> None:
        self._without(table, system)
        self.failed.append({"table": table, "system": system, "reason": reason})
        self.write()

    def write(self) -> Path:
        self.rows.sort(key=_place)
        self.failed.sort(key=_place)
        lists = {"failed": self.failed, "big": self.big}
        return write_results(self.name, self.settings, self.on, self.rows, self.versions, lists)

    def _without(self, table: str, system: str) -> None:
        for rows in (self.rows, self.failed):
            rows[:] = [row for row in rows if (row["table"], row["system"]) != (table, system)]

    def _compare(self, table: Table) -> None:
        other = self._losses(table.name, HISTGB)
        if not other.exists():
            return
        losses = np.load(other)
        for row in self.rows:
            own = self._losses(table.name, row["system"])
            if row["table"] == table.name and own.exists():
                found = minus(table.task, np.load(own), losses)
                row[AGAINST] = {"score": found.score, "low": found.low, "high": found.high}

    def _losses(self, table: str, system: str) -> Path:
        return VENV / "bench-tables" / Path(self.name).name / table / f"{system}.npy"


def open_kept(name: str, settings: Mapping[str, Any], on: Mapping[str, Any], versions: Mapping[str, str]) -> Kept:
    """Go on with the file of an earlier run. Raises ValueError where it was measured with other settings."""
    path = RESULTS / f"{name}.json"
    if not path.exists():
        return Kept(name, settings, on, dict(versions))
    found = json.loads(path.read_text(encoding="utf-8"))
    if found["rows"] and found["settings"] != settings:
        raise ValueError(
            f"{path.name} was measured with {found['settings']}, and these are {settings}; "
            "give the same, remove the file, or name another with --name"
        )
    used = found["versions"] | versions
    return Kept(name, settings, found["machine"], used, found["rows"], found.get("failed", []), found.get("big", []))


def _place(row: Mapping[str, Any]) -> tuple[int, int]:
    return _index(row["table"], [table.name for table in TABLES]), _index(row["system"], [s.name for s in SYSTEMS])


def _index(name: str, names: Sequence[str]) -> int:
    return names.index(name) if name in names else len(names)
