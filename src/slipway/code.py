"""The experiment's own functions, and scikit-learn's classes, by their names in experiment.yaml."""

import importlib
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from slipway.errors import CodeInvalid, did_you_mean, how_to_get


def load_function(folder: Path, ref: str) -> Callable[..., Any]:
    """Return the function that `module:function` names; the module is looked for in `folder` first.

    Raises CodeInvalid when the module cannot be imported or has no such function.
    """
    module_name, _, name = ref.partition(":")
    with importable(folder):
        module = _import(module_name, ref, sorted(path.stem for path in folder.glob("*.py")))
    function = getattr(module, name, None)
    if not callable(function):
        known = [key for key, value in vars(module).items() if callable(value) and not key.startswith("_")]
        raise CodeInvalid(f"{ref}: {module.__file__} has no function '{name}'{did_you_mean(name, known)}")
    return function  # type: ignore[no-any-return]


def load_class(path: str) -> type[Any]:
    """Return the class at an import path such as `sklearn.linear_model.LogisticRegression`.

    Raises CodeInvalid with the nearest name when there is none.
    """
    module_name, _, name = path.rpartition(".")
    module = _import(module_name, path)
    found = getattr(module, name, None)
    if not isinstance(found, type):
        known = [key for key, value in vars(module).items() if isinstance(value, type)]
        raise CodeInvalid(f"there is no class '{name}' in {module_name}{did_you_mean(name, known)}")
    return found


@contextmanager
def importable(folder: Path) -> Iterator[None]:
    """Let modules of `folder` be imported, and stay importable under their short names.

    Two experiments may both have a `features.py`, and two versions of a model carry two of them: a module of the same name
    that came from another folder is forgotten first, so that each caller gets its own.
    """
    folder = folder.resolve()
    for name in {path.stem for path in folder.glob("*.py")} | {
        path.parent.name for path in folder.glob("*/__init__.py")
    }:
        _forget_unless_in(folder, name)
    sys.path.insert(0, str(folder))
    importlib.invalidate_caches()
    try:
        yield
    finally:
        sys.path.remove(str(folder))


def _forget_unless_in(folder: Path, name: str) -> None:
    module = sys.modules.get(name)
    origin = getattr(module, "__file__", None)
    if module is not None and (origin is None or folder not in Path(origin).resolve().parents):
        for key in [key for key in sys.modules if key == name or key.startswith(f"{name}.")]:
            del sys.modules[key]


def _import(module_name: str, asked: str, own: Sequence[str] = ()) -> ModuleType:
    """Import a module. own: the modules of the experiment's folder, which it may be a misspelling of."""
    try:
        return importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        missing = str(error.name)
        if own and missing == module_name:
            instead = did_you_mean(missing, own)
        elif "." in missing:
            instead = _nearby(missing)
        else:
            instead = f"; {how_to_get(missing)}"
        raise CodeInvalid(f"{asked}: there is no module '{missing}'{instead}") from error
    except Exception as error:  # whatever the experiment's own module does at import
        raise CodeInvalid(f"{asked}: importing {module_name} failed: {type(error).__name__}: {error}") from error


def _nearby(module_name: str) -> str:
    parent_name, _, name = module_name.rpartition(".")
    parent = sys.modules.get(parent_name)
    return did_you_mean(name, getattr(parent, "__all__", [])) if parent else ""
