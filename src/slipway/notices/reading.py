"""The reader of notices.yaml: from its text to a NoticesConfig, or to every Problem with its line."""

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from slipway.errors import FileUnusable, SpecInvalid, did_you_mean
from slipway.notices.config import EVERY, MailChannel, NoticesConfig, Retry, WebChannel
from slipway.types import Problem

_MOST_CHARACTERS = 100_000
_CHANNELS = ("webhook", "slack", "teams", "email")


def read_config(file: Path) -> NoticesConfig:
    """Read a notices.yaml. Raises SpecInvalid with every mistake and its line, FileUnusable."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise FileUnusable(f"{file} cannot be read: {why}") from error
    values = _parsed(text, file)
    try:
        return NoticesConfig.model_validate(values)
    except ValidationError as error:
        raise SpecInvalid(file, [_problem(detail, values) for detail in _mistakes(error.errors())]) from None


def _parsed(text: str, file: Path) -> Any:
    if len(text) > _MOST_CHARACTERS:
        raise SpecInvalid(file, [Problem(1, "", f"{len(text)} characters; {_MOST_CHARACTERS} are allowed")])
    try:
        values = YAML(typ="rt", pure=True).load(text)
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise SpecInvalid(file, [Problem(line, "", f"not YAML: {(error.problem or str(error)).strip()}")]) from None
    except (YAMLError, ValueError, RecursionError) as error:
        why = next(iter(str(error).splitlines()), type(error).__name__)
        raise SpecInvalid(file, [Problem(1, "", f"not YAML: {why}")]) from None
    if not isinstance(values, dict):
        keys = ", ".join(NoticesConfig.model_fields)
        raise SpecInvalid(file, [Problem(1, "", f"this has to be a mapping with the keys {keys}")])
    return values


def _mistakes(details: list[ErrorDetails]) -> list[ErrorDetails]:
    """Return the mistakes without those that follow from another: to pydantic an item with a mistake is one that is missing."""
    places = [detail["loc"] for detail in details]
    return [
        detail
        for detail in details
        if detail["type"] != "too_short"
        or not any(place != detail["loc"] and place[: len(detail["loc"])] == detail["loc"] for place in places)
    ]


def _problem(detail: ErrorDetails, values: Any) -> Problem:
    # pydantic puts the kind of a channel into the place, where the file has no such step.
    at = [part for part in detail["loc"] if part not in _CHANNELS]
    if detail["type"] == "union_tag_invalid":
        at.append("kind")
    key = ".".join(map(str, at))
    return Problem(_line(values, at), key, _message(detail, at))


def _message(detail: ErrorDetails, at: list[int | str]) -> str:
    found = repr(detail["input"])[:80]
    match detail["type"]:
        case "extra_forbidden":
            return f"unknown key '{at[-1]}'{did_you_mean(str(at[-1]), _keys(at, detail['loc']))}"
        case "missing":
            return "this key is required and is not there"
        case "union_tag_not_found":
            return f"a channel has a `kind`; there is: {', '.join(_CHANNELS)}"
        case "union_tag_invalid":
            kind = str(detail["input"]["kind"])
            return f"found {kind!r}{did_you_mean(kind, _CHANNELS)}"
        case "tuple_type":
            return f"this has to be a list; found {found}"
        case "too_short":
            return "this list is empty; it takes one item or more"
        case "enum":
            return f"found {found}{did_you_mean(str(detail['input']), EVERY)}"
        case "value_error":
            return detail["msg"].removeprefix("Value error, ")
    return f"{detail['msg'][0].lower()}{detail['msg'][1:]}; found {found}"


def _keys(at: list[int | str], location: tuple[int | str, ...]) -> list[str]:
    """Return the keys that are allowed beside the last of a place."""
    part: type[BaseModel] = NoticesConfig
    if at[0] == "retry" and len(at) > 1:
        part = Retry
    elif at[0] == "channels" and len(at) > 1:
        part = MailChannel if "email" in location else WebChannel
    return sorted(field.alias or name for name, field in part.model_fields.items())


def _line(values: Any, at: list[int | str]) -> int:
    """Return the line of the innermost part of a place that the file has."""
    line = 1
    for part in at:
        try:
            line = (values.lc.item(part) if isinstance(part, int) else values.lc.key(part))[0] + 1
            values = values[part]
        except (AttributeError, KeyError, IndexError, TypeError):
            break
    return line
