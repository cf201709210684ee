"""`slipway captured`: the captured requests of a model, counted, and written into one file."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from slipway.capture.reading import Captured, captured, names
from slipway.capture.tables import LABELLED, ROW, TIME, VERSION
from slipway.errors import FileUnusable, UnknownName
from slipway.files import whole_file
from slipway.settings import Settings
from slipway.workflows.endpoint.capture import capture_folder

_KINDS = (".parquet", ".csv")


@dataclass
class CapturedReport:
    """Counts of the captured requests of a model.

    Attributes:
        name: the model.
        requests: how many requests were captured.
        rows: how many rows were captured, by version.
        labels: how many labels came, whether or not their row was captured.
        joined: how many captured rows have a label.
        first: the time of the first captured request, UTC.
        last: the time of the last one.
        dropped: how many requests were not captured, by reason.
        output: the file that the rows were written to; None for none.
    """

    name: str
    requests: int = 0
    rows: Counter[int] = field(default_factory=Counter)
    labels: int = 0
    joined: int = 0
    first: datetime | None = None
    last: datetime | None = None
    dropped: Mapping[str, int] = field(default_factory=dict)
    output: Path | None = None

    def as_dict(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "requests": self.requests,
            "rows": self.rows.total(),
            "rows_by_version": {str(version): count for version, count in sorted(self.rows.items())},
            "labels": self.labels,
            "rows_with_label": self.joined,
            "first": self.first and self.first.isoformat(),
            "last": self.last and self.last.isoformat(),
            "dropped": dict(self.dropped),
            "output": self.output and str(self.output),
        }

    def __str__(self) -> str:
        if self.first is None or self.last is None:
            return f"nothing of {self.name} was captured in this time; {self.labels} label(s) came"
        versions = ", ".join(f"version {version}: {count:,}" for version, count in sorted(self.rows.items()))
        dropped = ", ".join(f"{count:,} ({reason})" for reason, count in self.dropped.items())
        lines = [
            f"{self.name}: {self.requests:,} request(s), {self.rows.total():,} row(s)",
            f"from {self.first:%Y-%m-%d %H:%M:%S} to {self.last:%Y-%m-%d %H:%M:%S} UTC",
            f"rows by version: {versions}",
            f"labels: {self.labels:,} came, {self.joined:,} row(s) have one",
            f"requests that were dropped: {dropped or 'none'}",
        ]
        return "\n".join([*lines, *([f"written to {self.output}"] if self.output else [])])

    def count(self, table: Any) -> None:
        """Add the rows of a segment to the counts."""
        times = pc.min_max(table[TIME]).as_py()
        self.first = min(self.first or times["min"], times["min"])
        self.last = max(self.last or times["max"], times["max"])
        self.requests += pc.sum(pc.equal(table[ROW], 0)).as_py()
        self.joined += len(table) - table[LABELLED].null_count
        self.rows.update({each["values"]: each["counts"] for each in pc.value_counts(table[VERSION]).to_pylist()})


def look_at_captured(
    settings: Settings, name: str, since: datetime | None = None, output: Path | None = None
) -> CapturedReport:
    """Count the captured rows of a model, a segment at a time, and write them with their labels into a file.

    Args:
        settings: the home that the capture folder is in.
        name: the model.
        since: a time with a time zone; earlier requests are left out.
        output: a Parquet or CSV file, which appears whole or not at all; None to count only.

    Raises UnknownName when nothing was captured under this name, FileUnusable.
    """
    folder = capture_folder(settings)
    if name not in (known := names(folder)):
        raise UnknownName("captured model", name, known, f"Capture with `slipway serve {name} --capture`")
    if output is not None and output.suffix not in _KINDS:
        raise FileUnusable(f"{output} ends in '{output.suffix}'; allowed is {', '.join(_KINDS)}")
    captured_rows = captured(folder, name, since)
    labels = captured_rows.labels[LABELLED]
    came = len(labels) if since is None else pc.sum(pc.greater_equal(labels, pa.scalar(since, labels.type))).as_py()
    report = CapturedReport(name, labels=came or 0, dropped=captured_rows.dropped, output=output)
    if output is None:
        for table in captured_rows.tables():
            report.count(table)
    else:
        _write(captured_rows, report, output)
    return report


def _write(captured_rows: Captured, report: CapturedReport, output: Path) -> None:
    try:
        with whole_file(output) as draft, _writer(draft, output.suffix, captured_rows.schema) as writer:
            for table in captured_rows.tables():
                report.count(table)
                writer.write_table(table)
    except (OSError, pa.ArrowException) as error:
        raise FileUnusable(f"{output} cannot be written: {getattr(error, 'strerror', None) or error}") from error


def _writer(path: Path, kind: str, schema: Any) -> Any:
    if kind == ".csv":
        return pa.csv.CSVWriter(path, schema)
    return pq.ParquetWriter(path, schema, compression="zstd")
