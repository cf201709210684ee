"""Install what some tests need beside Python, where it can be had; say in one line a part what became of it.

Run by `make test` before the tests. It never fails: tests whose part is missing are skipped and say so.
"""

import functools
import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass

UPDATE_S, INSTALL_S = 120, 480


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
        _run(INSTALL_S, "apt-get", "install", "--yes", "--no-install-recommends", *packages)

    return install


PARTS = (
    Part(
        "Chromium",
        needed_by="tests/browser",
        found=program("chromium", "chromium-browser", "google-chrome"),
        install=debian("chromium"),
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
    _run(UPDATE_S, "apt-get", "update")


def _run(limit_s: float, *command: str) -> None:
    quiet = os.environ | {"DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}
    said = f"`{' '.join(command[:2])}`"
    try:
        done = subprocess.run(
            [*command, "--quiet", "--option", "DPkg::Lock::Timeout=60"],
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
