"""The reader of experiment.yaml and policy.yaml: from a text to its model, or to every Problem with its line."""

import io
import re
from typing import Any, TypeVar, get_args

from pydantic import ValidationError
from pydantic_core import ErrorDetails
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from slipway.core.naming import is_plain
from slipway.core.space import KINDS
from slipway.core.spec import CODE_REF, IMPORT_PATH, NAME, Experiment, ReleasePolicy, Section
from slipway.core.spec._words import plain_words, shown
from slipway.errors import SpecInvalid, did_you_mean
from slipway.types import Problem

MAX_CHARACTERS = 1_000_000
Location = tuple[str | int, ...]
_S = TypeVar("_S", bound=Section)
# The tags that an experiment.yaml may use: sets, bytes and objects have no place in a declaration.
_KINDS = ("str", "int", "float", "bool", "null", "timestamp", "map", "seq", "merge")
_TAGS = {f"tag:yaml.org,2002:{kind}" for kind in _KINDS}
_READ_AS_TEXT = ("tag:yaml.org,2002:str", "tag:yaml.org,2002:merge")
_USER_IN_URL = re.compile(r"://[^\s'\"]*@")
_MOST_DIGITS = 100  # Python itself refuses to write numbers of some thousands
_PATTERNS = {
    NAME: "a name: a letter, then letters, digits, _ or -, 64 at most",
    CODE_REF: "module:function, as in features:load",
    IMPORT_PATH: "an import path, as in sklearn.linear_model.LogisticRegression",
}


def read_experiment(text: str, path: str = "experiment.yaml") -> Experiment:
    """Read and validate the text of an experiment.yaml.

    Raises SpecInvalid with one Problem for each mistake; a Problem has the line, the key, the value found and what is allowed.
    """
    return _read(Experiment, text, path)


def read_policy(text: str, path: str = "policy.yaml") -> ReleasePolicy:
    """Read and validate the text of a policy.yaml. Raises SpecInvalid as `read_experiment` does."""
    return _read(ReleasePolicy, text, path)


def write_policy(policy: ReleasePolicy) -> str:
    """Return a policy as the text of a policy.yaml."""
    written = io.StringIO()
    yaml: Any = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    yaml.sort_base_mapping_type_on_output = False
    yaml.dump(policy.as_dict(), written)
    return written.getvalue()


def _read(model: type[_S], text: str, path: str) -> _S:
    values, lines = _parse(text, path)
    if not isinstance(values, dict):
        raise SpecInvalid(
            path, [Problem(1, "", "this has to be a mapping with the keys " + ", ".join(model.model_fields))]
        )
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise SpecInvalid(path, _problems(model, error.errors(), lines)) from None


def _parse(text: str, path: str) -> tuple[Any, dict[Location, int]]:
    if len(text) > MAX_CHARACTERS:
        raise SpecInvalid(path, [Problem(1, "", f"{len(text)} characters; {MAX_CHARACTERS} are allowed")])
    yaml = YAML(typ="safe", pure=True)
    try:
        root = yaml.compose(text)
        lines: dict[Location, int] = {}
        if root is not None:
            _note_lines(root, (), lines)
        # Reading the text a second time would double the time that a file of 2,000 columns takes.
        return (None if root is None else yaml.constructor.construct_document(root)), lines
    except RecursionError:
        raise SpecInvalid(path, [Problem(1, "", "nested too deeply")]) from None
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise SpecInvalid(path, [Problem(line, "", f"not YAML: {(error.problem or str(error)).strip()}")]) from None
    except (YAMLError, ValueError, LookupError) as error:  # the last two where a tag and its text do not fit
        message = next(iter(str(error).splitlines()), type(error).__name__)
        raise SpecInvalid(path, [Problem(1, "", f"not YAML: {message}")]) from None


def _note_lines(node: Node, at: Location, lines: dict[Location, int], most: int = 20_000) -> None:
    """Note the line of each key; the count refuses aliases that multiply without bound."""
    if len(lines) > most:
        raise ValueError(f"more than {most} values")
    lines.setdefault(at, node.start_mark.line + 1)
    if str(node.tag) not in _TAGS:
        raise MarkedYAMLError(problem=f"a value of kind {node.tag} has no place here", problem_mark=node.start_mark)
    if isinstance(node, ScalarNode) and str(node.tag).endswith(":int") and len(node.value) > _MOST_DIGITS:
        raise MarkedYAMLError(problem=f"a number of {len(node.value)} digits", problem_mark=node.start_mark)
    if isinstance(node, MappingNode):
        for key, value in node.value:
            if not isinstance(key, ScalarNode):
                raise MarkedYAMLError(problem="a key has to be a word", problem_mark=key.start_mark)
            for part in (key.value, *_as_pydantic_names(key)):
                lines[(*at, part)] = key.start_mark.line + 1
            _note_lines(value, (*at, key.value), lines)
    elif isinstance(node, SequenceNode):
        for index, value in enumerate(node.value):
            _note_lines(value, (*at, index), lines)


def _as_pydantic_names(key: ScalarNode) -> tuple[str | int, ...]:
    """Return the part of pydantic's location for a key that YAML does not read as a text, such as 2013 or null."""
    if str(key.tag) in _READ_AS_TEXT:
        return ()
    value = YAML(typ="safe", pure=True).constructor.construct_object(key)
    return (int(value) if isinstance(value, int) else repr(value),)


def _problems(model: type[Section], details: list[ErrorDetails], lines: dict[Location, int]) -> list[Problem]:
    """Return one Problem a place; the alternatives of a union become one Problem, by the first alternative."""
    problems: dict[Location, Problem] = {}
    for detail in details:
        # An error of our own gives its whole place, also where the file lacks the key.
        below = tuple(detail.get("ctx", {}).get("at", ()))
        placed = (*_without_tags(detail["loc"], lines, keep_last=detail["type"] == "missing"), *below)
        problems.setdefault(placed, Problem(_line(placed, lines), _key(placed), _message(model, detail)))
    return list(problems.values())


def _without_tags(at: Location, lines: dict[Location, int], *, keep_last: bool) -> Location:
    """Drop the tags of unions and types of alternatives that pydantic adds to a location."""
    placed: Location = ()
    for i, part in enumerate(at):
        if (*placed, part) in lines or (keep_last and i == len(at) - 1):
            placed = (*placed, part)
    return placed


def _key(at: Location) -> str:
    """Return a location as a dotted path; a name with dots or blanks of its own is quoted."""
    return ".".join(part if isinstance(part, str) and is_plain(part) else repr(part) for part in at)


def _line(at: Location, lines: dict[Location, int]) -> int:
    while at and at not in lines:
        at = at[:-1]
    return lines.get(at, 1)


def _message(model: type[Section], detail: ErrorDetails) -> str:
    found = detail["input"]
    match detail["type"]:
        case "extra_forbidden":
            key = str(detail["loc"][-1])
            return f"unknown key '{key}'{did_you_mean(key, _keys_at(model, detail['loc'][:-1]))}"
        case "missing":
            return "this key is required and is not there"
        case "union_tag_not_found" | "union_tag_invalid" if detail["loc"][-1] == "split":
            method = found.get("method") if isinstance(found, dict) else found
            return f"found method {shown(method)}{did_you_mean(str(method), ('time', 'group', 'random'))}"
        case "union_tag_not_found" | "union_tag_invalid":
            named = next(iter(found), "") if isinstance(found, dict) and len(found) == 1 else None
            guess = (
                did_you_mean(str(named), KINDS) if named else f"; found {shown(found)}; there is: {', '.join(KINDS)}"
            )
            return f"a parameter is exactly one distribution with its arguments, as in {{uniform: [0, 1]}}{guess}"
        case "enum" | "literal_error":
            allowed = detail["ctx"]["expected"].replace("'", "").replace(" or ", ", ").split(", ")
            return f"found {shown(found)}{did_you_mean(str(found), allowed)}"
        case "string_pattern_mismatch":
            return f"found {shown(found)}; allowed is {_PATTERNS[detail['ctx']['pattern']]}"
        case "slipway" | "space":
            return detail["msg"]
    return plain_words(detail)


def _keys_at(model: type[Section], at: Location) -> list[str]:
    """Return the keys that are allowed in the section at a location."""
    sections: list[type[Section]] = [model]
    for part in at:
        inner = [s for section in sections for s in _sections_in(section, part)]
        sections = inner or sections
    return sorted({key for section in sections for key in section.model_fields})


def _sections_in(section: type[Section], part: str | int) -> list[type[Section]]:
    field = section.model_fields.get(str(part))
    return _sections_of(field.annotation) if field else []


def _sections_of(annotation: Any) -> list[type[Section]]:
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return [annotation]
    return [section for argument in get_args(annotation) for section in _sections_of(argument)]
