"""The libraries that a model needs to be loaded: those of its types, and those that its own code imports."""

import ast
import io
import json
import sys
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, files, packages_distributions
from importlib.metadata import version as installed
from pathlib import Path
from typing import Any

import yaml

ALWAYS = ("mlflow", "numpy", "pandas", "scikit-learn", "scipy", "skops")
"""The libraries that every model needs."""

_PACKAGES = {"numpy": "numpy", "pandas": "pandas", "scipy": "scipy", "sklearn": "scikit-learn", "skops": "skops"}
"""The packages of the modules that nearly every model is made of."""

_OURS = "slipway"  # an image installs it by itself, and no package index has it


def pinned(stored: bytes, code: Sequence[Path]) -> list[str]:
    """Return a line such as `lightgbm==4.7.0` for each library that a model needs, at the version that is installed.

    Args:
        stored: the model, as skops stores it.
        code: files of the experiment that travel with the model. Imports inside of functions count too.
    """
    more = sorted(_libraries(stored, code) - set(ALWAYS), key=str.lower)
    return [f"{name}=={installed(name)}" for name in (*ALWAYS, *more)]


def libraries_in(folder: Path) -> set[str]:
    """Return the packages that a downloaded model needs, as far as they are installed here."""
    flavor = yaml.safe_load((folder / "MLmodel").read_text())["flavors"]["sklearn"]
    code = sorted((folder / flavor["code"]).glob("*.py")) if flavor.get("code") else []
    return _libraries((folder / flavor["pickled_model"]).read_bytes(), code)


def _libraries(stored: bytes, code: Sequence[Path]) -> set[str]:
    own = {path.stem for path in code}
    modules = {*_of_types(stored), *(module for path in code for module in _imported(path))}
    tops = {module: module.partition(".")[0] for module in modules}
    tops = {module: top for module, top in tops.items() if top not in own and top not in sys.stdlib_module_names}
    rest = {module: top for module, top in tops.items() if top and top not in _PACKAGES}
    # The list is read from the files of every installed package, a quarter of a second, and most models need none of it.
    known = packages_distributions() if rest else {}
    found = {name for module, top in rest.items() for name in _packages(module, known.get(top, ()))}
    return {_PACKAGES[top] for top in tops.values() if top in _PACKAGES} | found - {_OURS}


def _of_types(stored: bytes) -> set[str]:
    """Return the modules of every type in a stored model; skops writes the module beside each object."""
    modules: set[str] = set()

    def note(node: dict[str, Any]) -> Mapping[str, Any]:
        modules.add(str(node.get("__module__", "")))
        return node

    with zipfile.ZipFile(io.BytesIO(stored)) as archive:
        json.loads(archive.read("schema.json"), object_hook=note)
    return modules


def _imported(path: Path) -> Iterator[str]:
    try:
        tree = ast.parse(path.read_bytes())
    except SyntaxError:  # this file cannot be one that the pipeline was made by
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module


def _packages(module: str, names: Sequence[str]) -> set[str]:
    """Return the packages that contain a module, among those that share its top-level name, as many share `google`."""
    if len(set(names)) < 2:
        return set(names)
    path = module.replace(".", "/")
    holding = {name for name in names if any(str(file).startswith((f"{path}/", f"{path}.")) for file in _files(name))}
    return holding or set(names)


def _files(name: str) -> Sequence[Any]:
    try:
        return files(name) or ()
    except PackageNotFoundError:
        return ()
