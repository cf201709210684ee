"""The trials of a search as they were when it ended, kept with its evidence: the digest of the evidence seals them.

The runs of the trials can be rewritten on a plain MLflow server, and could before a server was guarded.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from slipway.core.trials import Answers, Trial
from slipway.registry.evidence.test_rows import FOLDER

_FILE = "trials.json"
_LEFT_OUT = ("answers", "members")


def save(folder: Path, trials: Sequence[Trial]) -> None:
    """Write trials into the folder of a run's evidence."""
    folder.mkdir(parents=True, exist_ok=True)
    whole = [asdict(replace(trial, answers=Answers())) for trial in trials]
    (folder / _FILE).write_text(json.dumps([{k: v for k, v in each.items() if k not in _LEFT_OUT} for each in whole]))


def load(folder: Path) -> tuple[Trial, ...] | None:
    """Read the trials below a folder with downloaded evidence; None for a run of an older Slipway, which kept none."""
    file = folder / FOLDER / _FILE
    return tuple(map(_trial, json.loads(file.read_text()))) if file.is_file() else None


def changes(sealed: Sequence[Trial], recorded: Sequence[Trial], metric: str) -> list[str]:
    """Return a sentence for each trial whose run in MLflow is not what was sealed.

    A number counts as changed where it differs by more than the nine digits that MLflow's text keeps.

    Args:
        sealed: the trials of a search as they were when it ended.
        recorded: the same trials as their runs tell them now.
        metric: the search metric.
    """
    now = {trial.number: trial for trial in recorded}
    found = [_change(trial, now.get(trial.number), metric) for trial in sealed]
    known = {trial.number for trial in sealed}
    new = [f"trial {number} was added after the search" for number in sorted(now.keys() - known)]
    return [*filter(None, found), *new]


def _change(was: Trial, now: Trial | None, metric: str) -> str:
    if now is None:
        return f"the run of trial {was.number} is gone"
    pairs = {"candidate": (was.candidate, now.candidate), "params": (_plain(was.params), _plain(now.params))}
    words = [f"{key} was {old} and is {new}" for key, (old, new) in pairs.items() if old != new]
    if was.failed != now.failed or not (was.failed or _same(was.score, now.score)):
        words.append(f"{metric} was {_spelled(was)} and is {_spelled(now)}")
    return f"trial {was.number} was changed after the search: {'; '.join(words)}" if words else ""


def _plain(params: Mapping[str, Any]) -> str:
    return json.dumps(dict(params), sort_keys=True)


def _same(one: float | None, other: float | None) -> bool:
    return one is not None and other is not None and abs(one - other) <= 1e-9 * max(1.0, abs(one))


def _spelled(trial: Trial) -> str:
    return "none (it failed)" if trial.failed else f"{trial.score:.6g}"


def _trial(fields: Mapping[str, Any]) -> Trial:
    rungs = tuple((share, score) for share, score in fields["rungs"])
    lists = {"rungs": rungs, "warnings": tuple(fields["warnings"]), "resamples": tuple(fields["resamples"])}
    return Trial(**{**fields, **lists})
