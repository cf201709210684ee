"""The systems that are compared. Importing this costs nothing: each module is imported in the process that runs it."""

import subprocess
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

VENV = Path(__file__).parents[2] / ".venv"
SLIPWAY, HISTGB, AUTOGLUON = "slipway", "histgb", "autogluon"


@dataclass(frozen=True)
class System:
    """function: where it is, as module:function; it takes a Given and returns a Predict. Slipway has commands instead.

    package: the one that its version is told of. apart: whether it has an environment of its own, `.venv/bench-NAME`.
    """

    name: str
    package: str
    function: str = ""
    apart: bool = False

    @property
    def python(self) -> str:
        return str(VENV / f"bench-{self.name}" / "bin" / "python") if self.apart else sys.executable

    @property
    def missing(self) -> str:
        """Why it cannot be measured here; empty when it can."""
        if self.apart and not Path(self.python).exists():
            return f"its environment is not there; make .venv/bench-{self.name}.stamp"
        return "" if self.version else f"{self.package} is not installed; make .venv/bench.stamp"

    @cached_property
    def version(self) -> str:
        """The version of its package in its environment; empty where that is not installed."""
        ask = f"from importlib.metadata import version; print(version({self.package!r}))"
        return subprocess.run([self.python, "-c", ask], capture_output=True, text=True, check=False).stdout.strip()


# The first is what the others are compared with row by row.
SYSTEMS = (
    System(HISTGB, "scikit-learn", "tabular.with_histgb:fit"),
    System("lightgbm", "lightgbm", "tabular.with_lightgbm:fit"),
    System("lightgbm_tuned", "lightgbm", "tabular.with_tuned_lightgbm:fit"),
    System("flaml", "FLAML", "tabular.with_flaml:fit"),
    System(AUTOGLUON, "autogluon.tabular", "tabular.with_autogluon:fit", apart=True),
    System(SLIPWAY, "slipway"),
)
