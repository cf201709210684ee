"""What is decided about a release, which may be declared again for a version, beside what was trained, which may not.

A redeclaration has the sections of experiment.yaml that no training reads. Data, features, split, search and costs stay those
of the run: a version with others is another version.
"""

import json
from typing import Any, Literal

from pydantic import Field, ValidationError

from slipway.core.release.changes import Change, between, flat
from slipway.core.spec import Experiment, Gates, GroupSplit, Maturity, Monitor, RandomSplit, Section, Sla
from slipway.core.spec._section import ColumnName, Text
from slipway.errors import UsageError

_SCOPE = ("goal", "decision", "owner", "maturity")
# The keys of `search` that an effort decides where they are not declared.
_BY_EFFORT = ("trials", "timeout_s", "ensemble", "halving", "patience", "candidates")
_SECTIONS = ("gates", "sla", "delivery", "monitor")


class ReleaseScope(Section):
    """The section `scope` without the costs, to which the threshold of the model was tuned."""

    goal: Text
    decision: Text | None = None
    owner: Text | None = None
    maturity: Maturity = Maturity.POC


class ReleasePart(Section):
    """The part of a declaration that is decided about a release.

    known: how the value of each feature is known when the prediction is made, by column.
    """

    scope: ReleaseScope
    gates: Gates = Gates()
    sla: Sla = Sla()
    delivery: list[Literal["service", "batch", "report"]] = Field(["service", "batch", "report"], min_length=1)
    monitor: Monitor | None = None
    known: dict[ColumnName, Text] = Field(default_factory=dict)

    def to_text(self) -> str:
        """Return the part as the JSON text that a ledger keeps."""
        return json.dumps(self.model_dump(mode="json", by_alias=True), indent=2, ensure_ascii=False)


def release_part(experiment: Experiment) -> ReleasePart:
    """Return the part of a declaration that is decided about a release."""
    values = experiment.as_dict()
    known = {name: column.known for name, column in experiment.data.columns.items() if column.known}
    scope = {key: values["scope"][key] for key in _SCOPE}
    return ReleasePart.model_validate({"scope": scope, "known": known, **{key: values[key] for key in _SECTIONS}})


def read_part(text: str) -> ReleasePart:
    """Read the text that `ReleasePart.to_text` wrote. Raises UsageError for any other text."""
    try:
        return ReleasePart.model_validate_json(text)
    except ValidationError as error:
        raise UsageError(f"this is not a redeclaration: {_words(error)}") from None


def declared_again(recorded: Experiment, part: ReleasePart) -> Experiment:
    """Return the declaration of a run with another release part.

    Raises UsageError where the two do not go together, such as a gate on slices for a run that looked at none.
    """
    values, given = recorded.as_dict(), part.model_dump(mode="json", by_alias=True)
    if new := [ref for ref in part.gates.own if ref not in recorded.gates.own]:
        raise UsageError(
            f"gates.own: the run keeps no code of {', '.join(new)}; `slipway run` trains with a new own gate"
        )
    if unknown := [name for name in part.known if name not in recorded.data.columns]:
        raise UsageError(f"data.columns: the run has no column {', '.join(unknown)}")
    columns = {name: {**column, "known": part.known.get(name)} for name, column in values["data"]["columns"].items()}
    values["scope"] |= given["scope"]
    values |= {key: given[key] for key in _SECTIONS}
    values["data"] = {**values["data"], "columns": columns}
    try:
        return Experiment.model_validate(values)
    except ValidationError as error:
        raise UsageError(f"what is declared does not fit what was trained: {_words(error)}") from None


def trained_otherwise(recorded: Experiment, today: Experiment) -> tuple[Change, ...]:
    """Return the keys that a training reads and that differ between the declaration of a run and another one.

    The declaration of a run has all that its effort decided for the rows; where the other one leaves that to the same effort,
    nothing differs.
    """
    return between(flat(_of_training(recorded)), flat(_of_training(_by_the_same_effort(today, recorded))))


def released_otherwise(before: Experiment, now: Experiment) -> tuple[Change, ...]:
    """Return the keys that differ between two declarations of the same training."""
    return between(flat(before.as_dict()), flat(now.as_dict()))


def _by_the_same_effort(today: Experiment, recorded: Experiment) -> Experiment:
    search, split = today.search, today.split
    if search.effort is None or search.effort != recorded.search.effort:
        return today
    decided = {key: getattr(recorded.search, key) for key in _BY_EFFORT if not getattr(search, key)}
    if isinstance(split, GroupSplit | RandomSplit) and not (split.folds or split.validation):
        split = split.model_copy(update={"folds": recorded.split.folds})
    return today.model_copy(update={"search": search.model_copy(update=decided), "split": split})


def _of_training(experiment: Experiment) -> dict[str, Any]:
    values = experiment.as_dict()
    columns = {name: {**column, "known": None} for name, column in values["data"]["columns"].items()}
    rest = {key: value for key, value in values.items() if key not in _SECTIONS}
    return {**rest, "scope": {"costs": values["scope"]["costs"]}, "data": {**values["data"], "columns": columns}}


def _words(error: ValidationError) -> str:
    found = error.errors()
    first = found[0]
    where = ".".join(map(str, (*first["loc"], *first.get("ctx", {}).get("at", ()))))
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    return f"{where}: {first['msg']}{more}"
