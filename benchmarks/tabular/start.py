"""Starting a system on a table: Slipway by its commands, the others in a process of their own each."""

import json
import subprocess
import time
from pathlib import Path

from slipway.processes import child_environment
from tabular.answers import read_answers
from tabular.catalogue import Table
from tabular.outcome import Outcome
from tabular.systems import SLIPWAY, System

HERE = Path(__file__).parents[1]
SHARED = {"PYTHONWARNINGS": "ignore", "GOMP_SPINCOUNT": "10000"}
"""OpenMP threads that soon sleep, as `slipway` sets it for itself: spinning ones slow down whatever shares the cores."""

_GRACE_S = 600.0


class SystemFailed(Exception):
    """A system gave no answers; the message says why in one line."""


def outcome_of(system: System, table: Table, folder: Path, seconds: float) -> Outcome:
    """Run a system on a table that `write_table` wrote to `folder`. Raises SystemFailed."""
    if system.name != SLIPWAY:
        return _in_a_process(system, folder, seconds)
    from tabular.project import CommandFailed
    from tabular.with_slipway import measure

    try:
        return measure(table, folder, seconds)
    except (CommandFailed, OSError, LookupError, ValueError) as error:
        raise SystemFailed(
            f"{error}" if isinstance(error, CommandFailed) else f"{type(error).__name__}: {error}"
        ) from error


def _in_a_process(system: System, folder: Path, seconds: float) -> Outcome:
    output, log = folder / system.name, folder / f"{system.name}.log"
    env = child_environment({"PYTHONPATH": str(HERE), **SHARED}, without=("MLFLOW_", "SLIPWAY_"))
    command = [system.python, "-m", "tabular.measure", system.function, str(folder), str(seconds), str(output)]
    started_at = time.time()
    with log.open("wb") as stream:
        try:
            code = subprocess.run(
                command, env=env, cwd=folder, stdout=stream, stderr=subprocess.STDOUT, timeout=10 * seconds + _GRACE_S
            ).returncode
        except subprocess.TimeoutExpired:
            raise SystemFailed(f"not ready after {10 * seconds + _GRACE_S:.0f} s") from None
    if code:
        raise SystemFailed(_reason(log, code))
    measured = json.loads(Path(f"{output}.json").read_text(encoding="utf-8"))
    return Outcome(read_answers(Path(f"{output}.npz")), measured["fitted_at"] - started_at, measured["row_ms"])


def _reason(log: Path, code: int) -> str:
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return f"{lines[-1][:400]}" if lines else f"it ended with code {code} and said nothing"
