"""Import of the functions and classes that experiment.yaml names."""

import importlib
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType
from typing import Any

from slipway.errors import CodeInvalid, did_you_mean, how_to_get


def load_function(folder: Path, ref: str) -> Callable[..., Any]:
    """Return the function that `module:function` names; `folder` is searched first for the module.

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


def load_own(folder: Path, ref: str, kind: str) -> Callable[..., Any]:
    """Return the function that experiment.yaml names: `module:function` of the folder, or the entry point of a package.

    Args:
        folder: The folder that is searched first for the module.
        ref: `module:function`, or the name of an entry point, which has no colon.
        kind: metrics, splitters, transformers or gates; packages name their entry points in the group `slipway.KIND`.

    Raises CodeInvalid when there is no such function, and for a name that two packages give.
    """
    if ":" in ref:
        return load_function(folder, ref)
    group = f"slipway.{kind}"
    offered = entry_points(group=group)
    found = {point.value: point for point in offered if point.name == ref}
    if len(found) != 1:
        raise CodeInvalid(_which_entry_point(ref, group, sorted(found), sorted(offered.names)))
    (point,) = found.values()
    try:
        function = point.load()
    except Exception as error:  # whatever the package does at import
        raise CodeInvalid(f"{ref}: importing {point.value} failed: {type(error).__name__}: {error}") from error
    if not callable(function):
        raise CodeInvalid(f"{ref}: {point.value} is not a function; it is {type(function).__name__}")
    return function  # type: ignore[no-any-return]


def _which_entry_point(ref: str, group: str, found: Sequence[str], offered: Sequence[str]) -> str:
    if found:
        return f"{ref}: several packages give it in the group {group}: {', '.join(found)}; keep one of these installed"
    there = f"; there are {', '.join(offered[:10])}" if offered else "; no installed package has any"
    return (
        f"no installed package has an entry point '{ref}' in the group {group}{did_you_mean(ref, offered) or there}; "
        "a function of the experiment's folder is named as module:function"
    )


def load_class(path: str) -> type[Any]:
    """Return the class at an import path such as `sklearn.linear_model.LogisticRegression`.

    Raises CodeInvalid, which names the nearest class, when there is none at that path.
    """
    module_name, _, name = path.rpartition(".")
    module = _import(module_name, path)
    value = getattr(module, name, None)
    if not isinstance(value, type):
        known = [key for key, each in vars(module).items() if isinstance(each, type)]
        raise CodeInvalid(f"there is no class '{name}' in {module_name}{did_you_mean(name, known)}")
    return value


@contextmanager
def importable(folder: Path) -> Iterator[None]:
    """Make the modules of `folder` importable by their short names within the block.

    Two experiments may both have a `features.py`, and two versions of a model carry one each. So a module of the same name that
    was imported from another folder is forgotten first, and each caller gets the module of its own folder.
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


def forget(folder: Path) -> None:
    """Forget the modules that were imported from a folder, so that the next import reads its files as they are now.

    A command is a process of its own, but a notebook lives on while the files of an experiment are edited.
    """
    folder = folder.resolve()
    for name, module in list(sys.modules.items()):
        origin = getattr(module, "__file__", None)
        if origin is not None and folder in Path(origin).resolve().parents:
            del sys.modules[name]


def _forget_unless_in(folder: Path, name: str) -> None:
    module = sys.modules.get(name)
    origin = getattr(module, "__file__", None)
    if module is not None and (origin is None or folder not in Path(origin).resolve().parents):
        for key in [key for key in sys.modules if key == name or key.startswith(f"{name}.")]:
            del sys.modules[key]


def _import(module_name: str, asked: str, own: Sequence[str] = ()) -> ModuleType:
    """Import a module; `own` are the modules of the experiment's folder, to suggest one where the name is misspelt."""
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
