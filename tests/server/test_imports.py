"""The tracking server and commands that train nothing start without the libraries that do, which cost seconds a start."""

import subprocess
import sys

import pytest

from slipway.processes import child_environment

pytestmark = pytest.mark.slow

_LOADED = """
import importlib, pkgutil, sys
for name in sys.argv[1:]:
    module = importlib.import_module(name)
    for found in pkgutil.iter_modules(getattr(module, "__path__", ()), name + "."):
        importlib.import_module(found.name)
print(*sys.modules)
"""
TRAINING = {"hyperopt", "sklearn", "skops", "fairlearn", "matplotlib", "pandera", "slipway.search", "slipway.data"}


@pytest.mark.parametrize(
    "modules",
    [
        (
            "slipway.server",
            "slipway.workflows.board.overview",
            "slipway.workflows.board.version",
            "slipway.workflows.board.comparison",
        ),
        (
            "slipway.workflows.report",
            "slipway.workflows.release.history",
            "slipway.workflows.release.reconcile",
            "slipway.workflows.release.gates",
        ),
    ],
    ids=["the server and its board", "commands that train nothing"],
)
def test_nothing_that_trains_is_imported(modules: tuple[str, ...]) -> None:
    words = [sys.executable, "-W", "ignore", "-c", _LOADED, *modules]
    done = subprocess.run(words, env=child_environment({}), capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert set(modules) <= loaded
    assert loaded & TRAINING == set()
