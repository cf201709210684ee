"""The checks of an installation: Python, packages, machine code, the machine itself."""

import importlib.metadata
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from slipway.errors import some_of
from slipway.processes import child_environment
from slipway.settings import Settings
from slipway.workflows.doctor.findings import Check, Examined, doubt, fault, fine

_PYTHONS = (3, 11), (3, 13)
_LEAST_MEMORY, _LEAST_DISK = 1.5e9, 2e9
_IMPORT_S = 60.0
# The packages that the commands import, the cheapest first: what one of them lacks is named by the first that fails.
_IMPORTED = ("numpy", "pandas", "pyarrow", "sklearn", "skops", "hyperopt", "numba", "mlflow")
_IMPORT = """
import importlib, json, sys
for name in sys.argv[1:]:
    try:
        importlib.import_module(name)
    except BaseException as error:
        print(json.dumps({name: f"{type(error).__name__}: {error}"}), flush=True)
from slipway.plans.kernels import warm
warm()
"""
_OPTIONAL = {"pyspark": "spark", "lightgbm": "lightgbm", "xgboost": "xgboost", "catboost": "catboost"}


def checks(settings: Settings) -> Iterator[tuple[str, Check]]:
    """Yield the checks of an installation."""
    yield "Python", _python
    yield "packages", lambda: _packages(settings.project / "requirements.lock")
    yield "imports", _imports
    yield "bytecode", _bytecode
    yield "machine", _machine
    yield "disk", lambda: _disk(settings.home)
    yield "optional parts", _optional_parts


def _python() -> Examined:
    version, (low, high) = sys.version_info[:2], _PYTHONS
    found = f"{sys.version.split()[0]} in {sys.prefix}"
    if low <= version <= high:
        return fine("Python", found)
    return fault("Python", found, "install Slipway with Python 3.11, 3.12 or 3.13")


def _packages(lock: Path) -> Examined:
    """Compare the installed packages with the lock file where the project has one, else with what Slipway asks for."""
    wanted = dict(_pins(lock.read_text())) if lock.is_file() else {}
    missing = [name for name in _required() if not _version(name)]
    if missing:
        named = ", ".join(missing)
        return fault("packages", f"not installed: {named}", f"`pip install {' '.join(missing)}`, or `make demo` anew")
    other = [
        f"{name} {found}, locked {pin}" for name, pin in wanted.items() if (found := _version(name)) not in ("", pin)
    ]
    if other:
        todo = "what runs is not what was tested: `make clean demo`, or `uv pip sync requirements.lock`"
        return doubt("packages", f"not as in {lock.name}: {some_of(other, 5, '; ')}", todo)
    return fine("packages", f"as in {lock.name}" if wanted else "all that Slipway asks for are installed")


def _required() -> list[str]:
    """Return the names of the packages that Slipway cannot do without."""
    from packaging.requirements import Requirement

    try:
        asked = [Requirement(line) for line in importlib.metadata.requires("slipway") or ()]
    except importlib.metadata.PackageNotFoundError:
        return ["slipway"]
    return [each.name for each in asked if each.marker is None or each.marker.evaluate({"extra": ""})]


def _pins(text: str) -> Iterator[tuple[str, str]]:
    for line in text.splitlines():
        name, pinned, rest = line.partition("==")
        if pinned and not line.startswith((" ", "#")) and ";" not in line:  # one with a marker may be of another Python
            yield name.partition("[")[0].strip(), rest.split()[0].strip("\\")


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _imports() -> Examined:
    """Import in a process of its own what the commands import, and load the machine code: either may end a process."""
    words = [sys.executable, "-c", _IMPORT, *_IMPORTED]
    try:
        done = subprocess.run(
            words, capture_output=True, text=True, timeout=_IMPORT_S, check=False, env=child_environment({})
        )
    except subprocess.TimeoutExpired:
        return fault(
            "imports", f"not done within {_IMPORT_S:g} s", "see whether the disk is slow, or the cores are busy"
        )
    broken = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    if broken:
        ((name, why),) = broken[0].items()
        todo = f"install it anew: `pip install --force-reinstall {name}`"
        return fault("imports", f"{name} cannot be imported ({why[:200]})", todo)
    if done.returncode:
        last = next(iter(done.stderr.strip().splitlines()[-1:]), f"exit code {done.returncode}")
        todo = "until then pipelines answer in place of compiled models; numba needs a folder to write to (NUMBA_CACHE_DIR)"
        return fault("imports", f"machine code cannot be made: {last[:200]}", todo)
    return fine("imports", f"{', '.join(_IMPORTED)}; the machine code of compiled models runs")


def _bytecode() -> Examined:
    """Say whether Python may keep bytecode: without it each start of MLflow takes twice as long."""
    found = importlib.util.find_spec("mlflow")
    if found is None or found.origin is None:
        return fault("bytecode", "mlflow is not installed", "`pip install mlflow==3.17.2`")
    cached = Path(importlib.util.cache_from_source(found.origin))
    if cached.is_file():
        return fine("bytecode", "compiled")
    todo = f"`{sys.executable} -m compileall -q {Path(found.origin).parent.parent}` once, as who may write there"
    return doubt("bytecode", "MLflow is not compiled, and starts twice as slowly as it could", todo)


def _machine() -> Sequence[Examined]:
    import psutil

    cores, memory = len(os.sched_getaffinity(0)), psutil.virtual_memory()
    free = f"{cores} core(s), {memory.available / 1e9:.1f} of {memory.total / 1e9:.1f} GB of memory free"
    if memory.available < _LEAST_MEMORY:
        return [doubt("machine", free, "the server and a search take some 1.5 GB: end something else first")]
    load = os.getloadavg()[0]
    if load > 2 * cores:
        return [
            doubt("machine", f"{free}; load {load:.1f}", "other processes take the cores: times of today say little")
        ]
    return [fine("machine", free)]


def _disk(home: Path) -> Examined:
    place = next(folder for folder in (home, *home.parents) if folder.is_dir())
    free = shutil.disk_usage(place).free
    found = f"{free / 1e9:.1f} GB free for {home}"
    if not os.access(place, os.W_OK | os.X_OK):
        return fault("disk", f"{place} cannot be written to", "let SLIPWAY_HOME name a folder of yours")
    return (
        fine("disk", found) if free > _LEAST_DISK else doubt("disk", found, "runs, models and evidence need more soon")
    )


def _optional_parts() -> Examined:
    there = [name for name in _OPTIONAL if importlib.util.find_spec(name)]
    missing = [extra for name, extra in _OPTIONAL.items() if name not in there]
    lacks = f"; not installed: {', '.join(f'slipway[{each}]' for each in missing)}" if missing else ""
    return fine("optional parts", (", ".join(there) or "none") + lacks)
