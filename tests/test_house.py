"""The house keeps its rooms: their size, their names, and imports without a circle, type-only and late ones counted."""

import ast
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from slipway.processes import child_environment

PACKAGE = Path(__file__).parents[1] / "src" / "slipway"
MOST_MODULES = 16
WITH_A_FILE_A_COMMAND = {"cli": 22, "workflows": 22}
LONGEST_CHAIN = 12


@cache
def modules() -> dict[str, Path]:
    return {_module(path): path for path in sorted(PACKAGE.rglob("*.py"))}


def _module(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def imports() -> dict[str, set[str]]:
    """Each module with the modules of the package that it names in an import, wherever the import stands."""
    return {name: set(_imported(path)) - {name} for name, path in modules().items()}


def _imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in modules())
        elif isinstance(node, ast.ImportFrom) and node.module in modules():
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                yield whole if whole in modules() else node.module


def layers() -> list[set[str]]:
    """The modules without imports, those that import none but these, and so on; what lies in a circle is in no layer."""
    below: set[str] = set()
    found: list[set[str]] = []
    while layer := {name for name, needed in imports().items() if name not in below and needed <= below}:
        found.append(layer)
        below |= layer
    return found


def test_a_folder_has_at_most_sixteen_modules() -> None:
    sizes = {str(folder.relative_to(PACKAGE)): len([p for p in folder.glob("*.py") if p.name != "__init__.py"])
             for folder in [PACKAGE, *PACKAGE.rglob("*")] if folder.is_dir()}  # fmt: skip
    assert {name: size for name, size in sizes.items() if size > WITH_A_FILE_A_COMMAND.get(name, MOST_MODULES)} == {}


def test_a_class_has_its_name_alone() -> None:
    places = defaultdict(list)
    for name, path in modules().items():
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append(name)
    assert {name: found for name, found in places.items() if len(found) > 1} == {}


def test_imports_run_in_no_circle() -> None:
    assert set(modules()) - set().union(*layers()) == set()


def test_no_chain_of_imports_from_room_to_room_is_longer_than_twelve() -> None:
    """A room is a folder. Modules of one room may follow each other; a chain counts each room that it comes to once more."""

    @cache
    def longest(name: str) -> int:
        return max((longest(needed) + (room(needed) != room(name)) for needed in imports()[name]), default=1)

    assert max(map(longest, modules())) <= LONGEST_CHAIN


def room(name: str) -> Path:
    return modules()[name].parent


@pytest.mark.slow
@pytest.mark.parametrize("module", ["server.board", "workflows.release.rollback", "workflows.release.archive",
                                    "workflows.release.history", "workflows.report"])  # fmt: skip
def test_what_trains_nothing_imports_nothing_that_trains(module: str) -> None:
    code = (
        f"import sys, slipway.{module}; print([name for name in ('hyperopt', 'slipway.search') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=child_environment({}))
    assert (done.returncode, done.stdout.strip()) == (0, "[]"), done.stderr
