"""Install what some tests need beside Python, where it can be had; say in one line a part what became of it.

Run by `make test` before the tests. It never fails: tests whose part is missing are skipped and say so.
"""

import functools
import importlib.metadata
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from slipway.errors import UsageError
from slipway.spark import check_java

UPDATE_S, INSTALL_S = 120, 480
SPARK_LOCK = Path(__file__).parents[1] / "requirements-spark.lock"


class CannotBeHad(Exception):
    """Why a part cannot be installed here."""


@dataclass(frozen=True)
class Part:
    """Something that tests use if it is there.

    found: where it is, or what it is; None when it is not there. install: raises CannotBeHad.
    """

    name: str
    needed_by: str
    found: Callable[[], str | None]
    install: Callable[[], None]


def program(*names: str) -> Callable[[], str | None]:
    """Look for the first of some programs that is on the PATH."""
    return lambda: next(filter(None, map(shutil.which, names)), None)


def debian(*packages: str) -> Callable[[], None]:
    """Install Debian packages, which takes apt-get and its administrator."""

    def install() -> None:
        if not shutil.which("apt-get"):
            raise CannotBeHad("there is no apt-get")
        if os.geteuid() != 0:
            raise CannotBeHad(f"only root may run `apt-get install {' '.join(packages)}`")
        _update()
        _apt_get(INSTALL_S, "install", "--yes", "--no-install-recommends", *packages)

    return install


def pyspark() -> str | None:
    """Look for the pyspark of the lock, and a Java for it."""
    try:
        check_java()
        version = importlib.metadata.version("pyspark")
    except (UsageError, importlib.metadata.PackageNotFoundError):
        return None
    return f"pyspark {version}" if f"\npyspark=={version} " in SPARK_LOCK.read_text() else None


def install_pyspark() -> None:
    """Install it into this environment, and Java first where there is none, as it is of no use without."""
    try:
        check_java()
    except UsageError:
        debian("openjdk-17-jre-headless")()
    uv = str(Path(sys.prefix, "bin", "uv"))
    _run(INSTALL_S, uv, "pip", "install", "--quiet", "--compile-bytecode", "--require-hashes", "-r", str(SPARK_LOCK))


PARTS = (
    Part(
        "Chromium",
        needed_by="tests/browser",
        found=program("chromium", "chromium-browser", "google-chrome"),
        install=debian("chromium"),
    ),
    Part(
        "Spark",
        needed_by="tests/search/test_executors.py and tests/end_to_end/test_spark.py",
        found=pyspark,
        install=install_pyspark,
    ),
)


def main() -> None:
    for part in PARTS:
        print(f"{part.name}: {provide(part)}", flush=True)


def provide(part: Part) -> str:
    """Install a part that is not there, and say how that went."""
    if found := part.found():
        return f"present ({found})"
    try:
        part.install()
    except CannotBeHad as reason:
        return f"cannot be had here because {reason}; {part.needed_by} will say that it is skipped"
    if found := part.found():
        return f"installed ({found})"
    return f"cannot be had here because it is not found after it was installed; {part.needed_by} will be skipped"


@functools.cache
def _update() -> None:
    """Fetch the lists of packages, once for all parts."""
    _apt_get(UPDATE_S, "update")


def _apt_get(limit_s: float, *words: str) -> None:
    _run(limit_s, "apt-get", *words, "--quiet", "--option", "DPkg::Lock::Timeout=60")


def _run(limit_s: float, *command: str) -> None:
    quiet = os.environ | {"DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8", "VIRTUAL_ENV": sys.prefix}
    said = f"`{Path(command[0]).name} {command[1]}`"
    try:
        done = subprocess.run(
            command,
            env=quiet,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=limit_s,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise CannotBeHad(f"{said} took longer than {limit_s:.0f} s") from None
    except OSError as error:
        raise CannotBeHad(f"{said} cannot be run: {error.strerror}") from None
    if done.returncode:
        lines = (done.stderr or done.stdout).strip().splitlines() or [f"exit code {done.returncode}"]
        raise CannotBeHad(f"{said} failed: {lines[-1]}")


if __name__ == "__main__":
    main()
