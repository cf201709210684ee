"""The columns that callers of one version send, held to those that another version asks for."""

from collections.abc import Mapping
from dataclasses import dataclass

Fields = Mapping[str, tuple[str, bool]]
"""Columns of a signature: name → (type, required)."""
# MLflow's schema enforcement accepts a value of the first type where a model asks for one of the others.
_WIDER = {
    "integer": {"long", "double"},
    "long": {"double"},
    "float": {"double"},
    "boolean": set(),
}
_MOST_NAMED = 6


@dataclass(frozen=True)
class ModelFields:
    """The columns that a version asks for, and the columns of its answer."""

    inputs: Fields
    outputs: Fields


def breaks(old: ModelFields, new: ModelFields) -> list[str]:
    """Return why requests to the old version would be refused, or answered otherwise, by the new one; empty when they fit."""
    answers = zip(old.outputs.values(), new.outputs.values(), strict=False)
    return [
        *_input_breaks(old.inputs, new.inputs),
        *(f"the answer's type changes from {was} to {now}" for (was, _), (now, _) in answers if was != now),
    ]


def fit_of_callers(live: tuple[int, ModelFields], back: tuple[int, ModelFields]) -> str:
    """Return a sentence on whether the requests of the callers of the version in Production fit the one of a rollback."""
    (now, sent), (before, asked) = live, back
    wrong = breaks(sent, asked)
    unread = [repr(name) for name in sent.inputs if name not in asked.inputs]
    fits = (
        f"requests of today's callers, of version {now}, do not fit version {before}: {'; '.join(_few(wrong))}"
        if wrong
        else f"requests of today's callers, of version {now}, fit version {before}"
    )
    return fits + (f"; not read by it, as new since: {', '.join(_few(unread))}" if unread else "")


def _input_breaks(old: Fields, new: Fields) -> list[str]:
    found = []
    for name, (kind, required) in new.items():
        if name not in old:
            if required:
                found.append(f"'{name}' ({kind}) is now required and was not sent before")
            continue
        old_kind, old_required = old[name]
        if kind != old_kind and kind not in _WIDER.get(old_kind, ()):
            found.append(f"'{name}' changes from {old_kind} to {kind}")
        if required and not old_required:
            found.append(f"'{name}' could be left out before and is now required")
    return found


def _few(words: list[str]) -> list[str]:
    return [*words[:_MOST_NAMED], *([f"and {len(words) - _MOST_NAMED} more"] if len(words) > _MOST_NAMED else [])]
