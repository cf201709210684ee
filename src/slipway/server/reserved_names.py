"""The names that only Slipway writes: those of ledgers, mutexes, tags and aliases, and the paths of artifacts."""

import posixpath
import re
from collections.abc import Iterable
from urllib.parse import unquote, urlsplit

from slipway.core.lookalikes import begins_like, ends_like, same_spelling, unseen
from slipway.registry.ledger import LEDGER_SUFFIX
from slipway.registry.trust import AUTHOR, DIGEST, EVIDENCE_DIGEST, MADE_BY
from slipway.types import HELD_STAGES, Stage
from slipway.workflows.release.register import LINEAGE

_MUTEX_SUFFIX = ".moving"
# The tags of ours that a new version may have. A wrong digest is found at the judgement: the server computes it anew.
# Of who registered it and who made its run, the server has its own view, which takes the place of the one that is sent.
BORN_WITH = frozenset({AUTHOR, DIGEST, EVIDENCE_DIGEST, MADE_BY, *LINEAGE})
# Of a registered run anybody may change these tags of MLflow's; all others say where the run comes from and what it is.
_FREE = frozenset({"mlflow.note.content", "mlflow.runName", "mlflow.runColor"})
_RUN, _MODEL = re.compile(r"[0-9a-f]{32}"), re.compile(r"m-[0-9a-f]{32}")


def is_ledger(experiment: str) -> bool:
    return ends_like(experiment, LEDGER_SUFFIX)


def is_mutex(model: str) -> bool:
    return ends_like(model, _MUTEX_SUFFIX)


def is_ours(tag: str) -> bool:
    """Say whether only Slipway writes a tag of that key, or of one that looks the same. Case does not count."""
    return begins_like(tag, "slipway.")


def is_evidence(tag: str) -> bool:
    """Say whether a tag of a run says what the run is, or where it comes from; a name, a note and tags of one's own do not."""
    return is_ours(tag) or (begins_like(tag, "mlflow.") and tag not in _FREE)


def guarded_alias(alias: str) -> Stage | None:
    """Return the stage that an alias goes with, or looks as if it did; None for an alias that anybody may set."""
    stages = {stage.lower(): stage for stage in HELD_STAGES}
    return stages.get(alias) or stages.get(same_spelling(alias, stages) or "")


def unusable(kind: str, name: str, standing: Iterable[str], others: Iterable[str] = ()) -> str:
    """Say why a new model, experiment or alias cannot have a name; "" where it can.

    standing: the names of its kind, of which none may look the same, whatever the case of its letters. others: the names of
    another kind, which may differ in case.
    """
    if character := unseen(name):
        return f"'{name}' holds {character}, which nobody sees; leave it out of the name of the {kind}"
    if other := same_spelling(name, standing) or same_spelling(name, others, case=True):
        return (
            f"'{name}' looks like '{other}', which stands already; give the {kind} a name that nobody takes for another"
        )
    return ""


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


def is_below(uri: str, place: str) -> bool:
    """Say whether a URI is that of a place, or of a file in it. A path without a scheme is one of `file:`."""
    found, wanted = urlsplit(decoded(uri)), urlsplit(decoded(place))
    if (found.scheme or "file", found.netloc) != (wanted.scheme or "file", wanted.netloc):
        return False
    folder = _parts(wanted.path)
    return bool(folder) and _parts(found.path)[: len(folder)] == folder


def is_within(path: str, folders: Iterable[str]) -> bool:
    """Say whether a path below the artifact root is one of some folders there, or in one. Case does not count.

    A folder that is the root itself does not count either: everything is below it.
    """
    parts = _parts(path.casefold())
    places = (_parts(folder.casefold()) for folder in folders)
    return any(place and parts[: len(place)] == place for place in places)


def is_model(owner: str) -> bool:
    """Say whether an id is that of a logged model, not of a run."""
    return _MODEL.fullmatch(owner) is not None


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
