"""The text of an experiment.yaml, from the profile of a table and the wishes of a person."""

import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from slipway.core.spec import Format, Source
from slipway.core.statistics.metrics import METRICS
from slipway.data.profile import Role, TableProfile
from slipway.search.portfolio import portfolio
from slipway.types import MISSING_IN_CSV
from slipway.workflows.init.contract_lines import contract_lines
from slipway.workflows.init.wishes import TODO, InitWishes
from slipway.workflows.init.yaml_lines import comment, line, scalar

_WIDTH = 118
# What a version has to reach at least: this share of the way from the baseline to a perfect score, or of its error.
_OF_THE_WAY, _OF_THE_ERROR = 0.05, 0.98
_P99_MS = 50


@dataclass(frozen=True)
class InitDraft:
    """All that an experiment.yaml is written from.

    Attributes:
        name: the name of the experiment.
        source: the declaration of the table.
        place: the keys of `data.source` that say where the table is, as they are to be written.
        source_note: what a person has to know of the place; empty where there is nothing.
        profile: the profile of the table.
        wishes: what the person said.
    """

    name: str
    source: Source
    place: Mapping[str, Any]
    source_note: str
    profile: TableProfile
    wishes: InitWishes


def written(draft: InitDraft) -> str:
    """Return the text of the experiment.yaml."""
    sections = (
        _head(draft),
        _scope(draft.wishes),
        _task(draft),
        _data(draft),
        _split(draft),
        _search(draft),
        _gates(draft),
    )
    return "\n\n".join("\n".join(section) for section in sections) + "\n"


def source_of(draft: InitDraft) -> dict[str, Any]:
    """Return the section `data.source`: the place of the rows, and the dialect where it is not the usual one."""
    nulls = [mark for mark in draft.profile.survey.missing if mark not in MISSING_IN_CSV]
    marks = {"nulls": nulls} if nulls and draft.source.kind is Format.CSV else {}
    digest = {"sha256": draft.source.sha256} if draft.source.sha256 else {}
    return {**draft.place, **digest, **draft.source.dialect, **marks}


def threshold_of(profile: TableProfile) -> float | None:
    """Return the threshold of the search metric that the baseline suggests; None where the baseline is not known."""
    if profile.baseline is None:
        return None
    if METRICS[profile.target.metric].greater_is_better:
        return _short(profile.baseline + _OF_THE_WAY * (1 - profile.baseline))
    return _short(profile.baseline * _OF_THE_ERROR)


def _short(value: float) -> float:
    return float(f"{value:.3g}")


def _head(draft: InitDraft) -> Iterator[str]:
    profile, place = draft.profile, next(iter(draft.place.values()))
    yield f"# From {profile.rows:,} rows and {len(profile.columns):,} columns of {place}, by `slipway init {draft.name}`."
    yield "# Each line is a guess, with its reason behind it. Change what you know better, then:"
    yield f"# slipway check {draft.name}"
    if profile.doubts:
        yield "#"
        yield "# Look at first:"
    for doubt in profile.doubts:
        yield from textwrap.wrap(" ".join(str(doubt).split()), _WIDTH, initial_indent="# - ", subsequent_indent="#   ")
    yield line(0, "name", draft.name)


def _scope(wishes: InitWishes) -> Iterator[str]:
    yield "scope:"
    yield line(2, "goal", wishes.goal or TODO)
    yield line(2, "decision", wishes.decision) if wishes.decision else "  # decision: what is done with the answer"
    owner = "  # owner: team@example.com  # who answers for it; nothing comes to Production without one"
    yield line(2, "owner", wishes.owner) if wishes.owner else owner
    yield line(2, "maturity", wishes.maturity)


def _task(draft: InitDraft) -> Iterator[str]:
    target = draft.profile.target
    yield line(0, "task", target.task.value, target.why)


def _data(draft: InitDraft) -> Iterator[str]:
    profile = draft.profile
    target, time, id_ = (profile.of_role(role) for role in (Role.TARGET, Role.TIME, Role.ID))
    yield "data:"
    yield line(2, "source", source_of(draft), draft.source_note)
    yield line(2, "target", target)
    if profile.target.positive is not None:
        yield line(2, "positive", profile.target.positive, profile.target.positive_why)
    for key, name in (("id", id_), ("time", time)):
        if name:
            yield line(2, key, name, next(each.why for each in profile.columns if each.name == name))
    yield "  # Say of each feature how it is known when the prediction is made, as in `known: the timetable`."
    yield "  # min, max and nulls leave room beyond what was found; a row outside of them is refused before any training."
    yield "  columns:"
    yield from contract_lines(profile, draft.source)


def _split(draft: InitDraft) -> Iterator[str]:
    yield line(0, "split", dict(draft.profile.split), draft.profile.split_why)


def _search(draft: InitDraft) -> Iterator[str]:
    profile, effort = draft.profile, draft.wishes.effort
    candidates = portfolio(profile.target.task, profile.rows, len(profile.features()), effort)
    yield "search:"
    yield line(2, "metric", profile.target.metric, profile.target.metric_why)
    yield line(
        2, "effort", effort, "fast, normal or best: how many trials, how long, and whether several answer together"
    )
    yield "  candidates:"
    for name, candidate in candidates.items():
        yield f"    {scalar(name)}:"
        for key, value in candidate.items():
            if key == "start":
                yield f"      start:  {comment('points that are tried first')}"
                yield from (f"        - {_flow(point)}" for point in value)
            elif key == "space":
                yield "      space:"
                yield from (line(8, parameter, drawn) for parameter, drawn in value.items())
            elif value:
                yield line(6, key, value)


def _flow(value: Any) -> str:
    return line(0, "x", value).removeprefix("x: ")


def _gates(draft: InitDraft) -> Iterator[str]:
    bound, target = threshold_of(draft.profile), draft.profile.target
    _, constant = target.task.traits.constant
    yield "gates:"
    if bound is not None:
        why = f"the baseline, the {constant}, has {draft.profile.baseline:.3g}; ask for more where more is needed"
        yield line(2, "thresholds", {target.metric: bound}, why)
    yield line(2, "beats_baseline", {"margin": 0})
    if draft.wishes.maturity != "poc":
        yield ""
        yield line(0, "sla", {"p99_ms": _P99_MS}, "99 % of the requests take at most so many milliseconds")
