"""What a benchmark ran on, and where its results are kept."""

import json
import os
import platform
import signal
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from slipway.files import whole_file

RESULTS = Path(__file__).parent / "results"
PACKAGES = ("slipway", "mlflow", "scikit-learn", "numpy", "pandas", "hyperopt", "optuna", "joblib")


def end_in_order() -> None:
    """Make SIGTERM unwind as Ctrl-C does, so that servers and measurements are stopped and folders removed."""
    signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0))


def machine() -> dict[str, Any]:
    """Return the cores, the model of the CPU, and how busy the machine was before anything was measured."""
    busy = os.getloadavg()[0]
    return {"cores": cores(), "cpu": _cpu(), "system": platform.system(), "load_1min_before": round(busy, 2)}


def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that have a part in the numbers."""
    return {"python": platform.python_version(), **{name: _version(name) for name in PACKAGES}}


def write_results(
    name: str,
    settings: Mapping[str, Any],
    on: Mapping[str, Any],
    rows: Sequence[Mapping[str, Any]],
    others: Mapping[str, str] | None = None,
    lists: Mapping[str, Sequence[Mapping[str, Any]]] | None = None,
) -> Path:
    """Write the rows with everything that is needed to read them to `results/NAME.json`; return where that is.

    on: what `machine` said before the measurements. others: versions of what is in environments of its own.
    lists: further rows, each under its own name.
    """
    path = RESULTS / f"{name}.json"
    path.parent.mkdir(exist_ok=True)
    date = datetime.now(UTC).strftime("%Y-%m-%d")
    content = {
        "date": date,
        "machine": on,
        "versions": versions() | dict(others or {}),
        "settings": settings,
        "rows": rows,
        **(lists or {}),
    }
    with whole_file(path) as draft:  # a benchmark that is cut off goes on from this file
        draft.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return lines with aligned columns: the first to the left, numbers to the right."""
    lines = [header, *rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(header))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if i == 0 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        for line in lines
    )


def _cpu() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor()


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "none"
