"""The modules that loading a model imports: code that travels with a model must not take their place.

MLflow puts the code of a model first on the path, so that a file `joblib.py` there would run though no type of it is trusted.
"""

import sys
from functools import cache
from importlib.metadata import PackageNotFoundError, packages_distributions, requires

from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name

from slipway.registry.artifacts.libraries import ALWAYS

_AT_THE_START = frozenset({"sitecustomize", "usercustomize", "slipway"})


def shadowed(module: str) -> str:
    """Return the name of the library whose module a file of that name would take the place of; empty for none."""
    if module in sys.stdlib_module_names or module in _AT_THE_START:
        return f"Python's own {module}" if module != "slipway" else module
    return _modules_of_libraries().get(module, "")


@cache
def _modules_of_libraries() -> dict[str, str]:
    """Return the packages that every model needs, and those that they need, by the modules that they bring."""
    needed, waiting = set[NormalizedName](), [canonicalize_name(name) for name in ALWAYS]
    while waiting:
        name = waiting.pop()
        if name not in needed:
            needed.add(name)
            waiting += _needs(name)
    brought = packages_distributions().items()
    return {module: name for module, names in brought for name in names if canonicalize_name(name) in needed}


def _needs(name: str) -> list[NormalizedName]:
    try:
        wanted = map(Requirement, requires(name) or ())
    except PackageNotFoundError:
        return []
    return [
        canonicalize_name(each.name) for each in wanted if each.marker is None or each.marker.evaluate({"extra": ""})
    ]
