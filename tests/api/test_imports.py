"""`import slipway` is what every command and every process of an endpoint begins with, so it imports next to nothing."""

import subprocess
import sys
from pathlib import Path

import pytest

import slipway
from slipway.processes import child_environment

HEAVY = ("mlflow", "pandas", "numpy", "sklearn", "hyperopt", "IPython", "requests")


def heavy_after(code: str) -> str:
    asked = f"import sys; {code}; print([name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, env=child_environment({}))
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.slow
@pytest.mark.parametrize("code", ["import slipway", "from slipway import Experiment, Model; Model('rides')"])
def test_importing_the_names_imports_no_library(code: str) -> None:
    assert heavy_after(code) == "[]"


def test_the_package_lists_its_names_and_knows_no_other() -> None:
    assert {"Experiment", "Model", "__version__"} <= set(dir(slipway))
    with pytest.raises(AttributeError, match="has no attribute 'Experimnt'"):
        _ = slipway.Experimnt  # type: ignore[attr-defined]


SCRIPT = """
import sys
from pathlib import Path
from slipway.forkserver import context

with Path(sys.argv[1]).open("a") as marks:
    marks.write("main ")
process = context().Process(target=print, args=("worked",))  # at the top level, as in a script without a guard
process.start()
process.join()
sys.exit(process.exitcode)
"""


@pytest.mark.slow
def test_a_script_that_starts_workers_at_its_top_level_is_run_once(tmp_path: Path) -> None:
    script, marks = tmp_path / "script.py", tmp_path / "marks"
    script.write_text(SCRIPT)
    words = [sys.executable, str(script), str(marks)]
    done = subprocess.run(words, capture_output=True, text=True, env=child_environment({}))
    assert (done.returncode, done.stdout, marks.read_text()) == (0, "worked\n", "main "), done.stderr
