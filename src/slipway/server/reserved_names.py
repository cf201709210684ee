"""The names that only Slipway writes: those of ledgers, mutexes, tags and aliases, and the paths of artifacts."""

import posixpath
import re
from collections.abc import Iterable
from urllib.parse import unquote, urlsplit

from slipway.registry.ledger import LEDGER_SUFFIX
from slipway.registry.trust import AUTHOR, DIGEST, EVIDENCE_DIGEST, MADE_BY
from slipway.types import HELD_STAGES, Stage
from slipway.workflows.release.register import LINEAGE

_MUTEX_SUFFIX = ".moving"
# The tags of ours that a new version may have. A wrong digest is found at the judgement: the server computes it anew.
# Of who registered it and who made its run, the server has its own view, which takes the place of the one that is sent.
BORN_WITH = frozenset({AUTHOR, DIGEST, EVIDENCE_DIGEST, MADE_BY, *LINEAGE})
_RUN, _MODEL = re.compile(r"[0-9a-f]{32}"), re.compile(r"m-[0-9a-f]{32}")


def is_ledger(experiment: str) -> bool:
    return experiment.strip().casefold().endswith(LEDGER_SUFFIX)


def is_mutex(model: str) -> bool:
    return model.strip().casefold().endswith(_MUTEX_SUFFIX)


def is_ours(tag: str) -> bool:
    """Say whether only Slipway writes a tag of that key. Case does not count, as some databases compare without it."""
    return tag.strip().casefold().startswith("slipway.")


def guarded_alias(alias: str) -> Stage | None:
    """Return the stage that an alias goes with; None for an alias that anybody may set."""
    return {stage.lower(): stage for stage in HELD_STAGES}.get(alias.strip().casefold())


def owners(path: str) -> list[str]:
    """Return the ids of the runs and models in a path below the server's artifact root, whose artifacts it may name.

    Case does not count, as some file systems ignore it.
    """
    return [part for part in _clean(path).casefold().split("/") if _RUN.fullmatch(part) or _MODEL.fullmatch(part)]


def holds_runs(folder: str, locations: Iterable[str]) -> bool:
    """Say whether a folder without the id of a run in its path holds whole runs or models.

    locations: the folders of the experiments, below the same root. Such a folder may have any name, `traces` too.
    """
    parts = _parts(folder)
    places = [_parts(location) for location in locations]
    return any(at[: len(parts)] == parts or (*at, "models") == parts for at in places)


def is_elsewhere(path: str, location: str) -> bool:
    """Say whether a path below the artifact root is outside of the folder of a run or model with its artifacts at a location.

    False for a location of another scheme than `mlflow-artifacts:`, whose place below the root is not known.
    """
    parsed = urlsplit(location)
    folder = _parts(decoded(parsed.path).casefold())[:-1]
    return parsed.scheme == "mlflow-artifacts" and _parts(path.casefold())[: len(folder)] != folder


def is_model(owner: str) -> bool:
    """Say whether an id is that of a logged model, not of a run."""
    return _MODEL.fullmatch(owner) is not None


def same_origin(origin: str | None, host: str | None) -> bool:
    """Say whether a browser's Origin header names the host that was asked."""
    return bool(origin) and bool(host) and urlsplit(origin or "").netloc.casefold() == (host or "").casefold()


def decoded(location: str) -> str:
    """Take off all percent-encoding, however often it was put on: each layer of MLflow takes off one."""
    while (once := unquote(location)) != location:
        location = once
    return location


def _parts(path: str) -> tuple[str, ...]:
    return tuple(part for part in _clean(path).split("/") if part)


def _clean(path: str) -> str:
    cleaned = posixpath.normpath(path.strip("/"))
    return "" if cleaned == "." else cleaned
