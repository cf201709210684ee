"""The command: read the table, guess, try the guesses on its rows, and write the file whole or not at all."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from slipway.core.spec import NAME, Experiment
from slipway.core.spec._yaml import read_experiment
from slipway.data.blocks import Blocks, blocks_of
from slipway.data.profile import Role, TableProfile, profile_table
from slipway.errors import DataUnusable, FileUnusable, UsageError
from slipway.files import whole_file
from slipway.progress import step
from slipway.settings import Settings
from slipway.workflows.init.places import place_of, with_format
from slipway.workflows.init.verifying import tried
from slipway.workflows.init.wishes import TODO, InitWishes
from slipway.workflows.init.writing import InitDraft, source_of, threshold_of, written
from slipway.workflows.project import SPEC

_MOST_TRIES = 4
_SHOWN = 12


@dataclass(frozen=True)
class InitReport:
    """A new experiment, with its guesses and doubts.

    Attributes:
        path: the file.
        text: its text.
        draft: what the text was written from.
        is_written: whether the file was written; not so for a dry run.
    """

    path: Path
    text: str
    draft: InitDraft
    is_written: bool

    def as_dict(self) -> dict[str, Any]:
        profile = self.draft.profile
        return {
            "name": self.draft.name,
            "path": str(self.path),
            "written": self.is_written,
            "rows": profile.rows,
            "rows_looked_at": len(profile.survey.sample.frame),
            "doubts": [vars(doubt) for doubt in profile.doubts],
            "guesses": [{"key": key, "value": value, "why": why} for key, value, why in _guesses(self.draft)],
            "columns": [_column(each) for each in profile.columns],
            "text": self.text,
        }

    def __str__(self) -> str:
        profile, name = self.draft.profile, self.draft.name
        doubts = [f"  ! {doubt}" for doubt in profile.doubts[:_SHOWN]]
        if len(profile.doubts) > _SHOWN:
            doubts.append(f"  ! and {len(profile.doubts) - _SHOWN} more, at the top of {self.path.name}")
        head = ["Look at first:", *doubts, ""] if doubts else []
        guesses = [f"  {key:<10} {_short(value)}: {why}" for key, value, why in _guesses(self.draft) if why]
        roles = f"  columns    {_roles(profile)}"
        done = f"{self.path} is written." if self.is_written else "Nothing is written; without --dry-run it is:"
        after = (
            [done, "", f"  slipway check {name}", f"  slipway run {name}"] if self.is_written else [done, "", self.text]
        )
        if self.is_written and self.draft.wishes.goal is None:
            after.insert(1, "Its goal says TODO: write down what is predicted, for whom and when.")
        return "\n".join([*head, f"{self.draft.name}: {profile.rows:,} rows", *guesses, roles, "", *after])


def init(settings: Settings, name: str, data: Mapping[str, str], wishes: InitWishes, **how: bool) -> InitReport:
    """Write `experiments/NAME/experiment.yaml` from a table.

    Args:
        settings: the settings of the command.
        name: the name of the experiment.
        data: `url`: the path of the table, relative to the working directory, or its URL; `table` of a database; `format`.
        wishes: what the person said.
        how: `dry_run`: write nothing; `force`: write over an experiment.yaml that is there.

    Raises UsageError for a name that is taken or not allowed, UnknownName, FileUnusable and DataUnusable.
    """
    path = require_free(settings, name, wishes, force=how["force"] or how["dry_run"])
    data = with_format(data)
    place, note = place_of(data, settings.project, path.parent)
    with step(f"profile of {data['url']}"):
        table = _blocks(data, settings.variables)
        profile = profile_table(table, wishes.target, wishes.table)
    with step("the guesses, tried on its rows"):
        draft, text = _tried(InitDraft(name, table.source, place, note, profile, wishes), path)
    if not how["dry_run"]:
        _write(path, text)
    return InitReport(path, text, draft, not how["dry_run"])


def require_free(settings: Settings, name: str, wishes: InitWishes, *, force: bool) -> Path:
    """Return the path of a new experiment's file. Raises UsageError for a name that is taken or not allowed.

    force: whether the name may be taken.
    """
    path = settings.experiments / name / SPEC
    if not re.fullmatch(NAME, name):
        raise UsageError(f"'{name}' cannot name an experiment: a letter, then letters, digits, _ or -, 64 at most")
    if path.exists() and not force:
        raise UsageError(
            f"{path} is there already; --force (in Python force=True) writes over it, --dry-run shows what would be written"
        )
    if wishes.maturity != "poc" and not (wishes.decision and wishes.owner):
        raise UsageError(
            f"maturity {wishes.maturity} needs --decision and --owner (in Python decision= and owner=); begin with poc where "
            "they are not known yet"
        )
    return path


def _blocks(data: Mapping[str, str], variables: Mapping[str, str]) -> Blocks:
    try:
        return blocks_of(data, Path(), variables)
    except ValidationError as error:
        raise UsageError(f"--data: {error.errors()[0]['msg']}") from None


def _tried(draft: InitDraft, path: Path) -> tuple[InitDraft, str]:
    """Return the draft and its text once the rows correct nothing any more."""
    for _ in range(_MOST_TRIES):
        experiment = _read(replace(draft, wishes=replace(draft.wishes, maturity="poc")), path)  # has no threshold yet
        before, draft = draft.profile, replace(draft, profile=tried(draft.profile, experiment))
        if _declared(before) == _declared(draft.profile):
            break
    if draft.profile.baseline is None and draft.wishes.maturity != "poc":
        raise DataUnusable(
            f"the rows cannot be split, so that no threshold can be suggested: {draft.profile.doubts[0]}"
        )
    text = written(draft)
    read_experiment(text, str(path))
    return draft, text


def _read(draft: InitDraft, path: Path) -> Experiment:
    if not draft.profile.features():
        raise DataUnusable(
            f"no column is left to learn from: {_roles(draft.profile)}; a table needs one column, beside the target, that "
            "varies and names no row"
        )
    return read_experiment(written(draft), str(path))


def _declared(profile: TableProfile) -> tuple[Any, ...]:
    """Return the part of a profile that the declaration depends on."""
    return dict(profile.split), [(column.name, column.role) for column in profile.columns]


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as draft:
            draft.write_text(text, encoding="utf-8")
    except OSError as error:
        raise FileUnusable(f"{path} cannot be written: {error.strerror}") from error


def _guesses(draft: InitDraft) -> list[tuple[str, Any, str]]:
    """Return each guess beside those of columns: its key, its value, and the reason."""
    profile = draft.profile
    target = profile.target
    why = {column.name: column.why for column in profile.columns}
    guesses: list[tuple[str, Any, str]] = [("source", source_of(draft), draft.source_note or "the form of the file")]
    guesses.append(("task", target.task.value, target.why))
    if target.positive is not None:
        guesses.append(("positive", target.positive, target.positive_why))
    guesses += [(role.value, name, why[name]) for role in (Role.ID, Role.TIME) if (name := profile.of_role(role))]
    guesses.append(("split", dict(profile.split), profile.split_why))
    guesses.append(("metric", target.metric, target.metric_why))
    if (bound := threshold_of(profile)) is not None:
        guesses.append(("threshold", bound, f"the baseline has {profile.baseline:.3g} on the test rows"))
    if draft.wishes.goal is None:
        guesses.append(("goal", TODO, ""))
    return guesses


def _column(column: Any) -> dict[str, Any]:
    return {
        "name": column.name,
        "type": column.kind.type.value,
        "role": column.role.value,
        "why": column.why,
        "missing": column.missing,
        "distinct": column.distinct,
        "doubt": column.doubt,
    }


def _roles(profile: TableProfile) -> str:
    """Count the columns of each role, in words."""
    roles = [column.role for column in profile.columns]
    return ", ".join(f"{roles.count(role)} {role}" for role in Role if roles.count(role))


def _short(value: Any) -> str:
    return ", ".join(f"{key} {each}" for key, each in value.items()) if isinstance(value, dict) else str(value)
