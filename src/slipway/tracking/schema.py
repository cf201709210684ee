"""The revisions of tables that the installed MLflow knows, read from its migrations without importing MLflow."""

import functools
import importlib.util
import re
from pathlib import Path

from slipway.errors import ServiceFailed

_IDENTIFIER = re.compile(r"""^(revision|down_revision)\s*=\s*["'](\w+)["']""", re.MULTILINE)


@functools.cache
def known_revisions() -> tuple[str, ...]:
    """Return the revisions of the tables of runs and registry, oldest first; a server works on the last one.

    Raises ServiceFailed when the revisions make no chain: nothing is guessed about another MLflow.
    """
    package = importlib.util.find_spec("mlflow")
    places = package.submodule_search_locations if package else None
    scripts = Path(next(iter(places or ["."])), "store", "db_migrations", "versions").glob("*.py")
    identifiers = (dict(_IDENTIFIER.findall(script.read_text(encoding="utf-8"))) for script in scripts)
    follows = {script.get("down_revision"): script["revision"] for script in identifiers if "revision" in script}
    chain: list[str] = []
    step = follows.pop(None, None)
    while step:
        chain.append(step)
        step = follows.pop(step, None)
    if follows or not chain:
        raise ServiceFailed("the migrations of the installed MLflow cannot be read; install MLflow anew")
    return tuple(chain)


def newest_revision() -> str:
    """Return the revision that the installed MLflow works on."""
    return known_revisions()[-1]
