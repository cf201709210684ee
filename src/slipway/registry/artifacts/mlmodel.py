"""The MLmodel file of a version and the files beside it, held to exactly what `log_model` writes.

MLflow runs what these files name: the loader and the code of a flavor when it loads a model, the packages of the environment
files when it builds a place for one. So whatever they name beside the model that the gates judged is refused.
"""

import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from slipway.core.expectations import DIALECT, METADATA
from slipway.core.forms import FORMS
from slipway.registry.artifacts._plain_yaml import read_plain_yaml
from slipway.registry.artifacts.environment import CONDA, PYTHON_ENV, REQUIREMENTS, environment_departures
from slipway.registry.artifacts.shadows import shadowed

MLMODEL, SKOPS, CODE = "MLmodel", "model.skops", "code"
_EXAMPLE, _REQUEST, _VARIABLES = "input_example.json", "serving_input_example.json", "environment_variables.txt"
_OF_THE_REGISTRY = "registered_model_meta"  # MLflow writes it beside a downloaded version
_ALWAYS_THERE = frozenset({MLMODEL, SKOPS, CONDA, PYTHON_ENV, REQUIREMENTS})
_FIELD_TYPES = frozenset({"boolean", "integer", "long", "float", "double", "string", "datetime", "binary"})


class KeyRule(NamedTuple):
    """The values that are allowed for a key, in words and as a function."""

    allowed: str
    fits: Callable[[Any], bool]


def departures(folder: Path, trusted: Collection[str]) -> list[str]:
    """Return each thing in the folder of a model that is not as Slipway writes it, as a sentence; empty for none.

    Args:
        folder: the folder of a downloaded model.
        trusted: all types that the model may ask MLflow to trust.
    """
    try:
        content = read_plain_yaml((folder / MLMODEL).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        return [f"{MLMODEL} cannot be read: {_line(str(error))}"]
    found = list(_of_mlmodel(content, trusted))
    if found:  # the other files are judged by what MLmodel says of them
        return found
    names_code = bool(content["flavors"]["sklearn"].get("code"))
    files = _files(folder, names_code, bool(content.get("saved_input_example_info")), bool(content.get("env_vars")))
    return [*files, *environment_departures(folder)]


def _of_mlmodel(content: Any, trusted: Collection[str]) -> Iterator[str]:
    yield from _section(MLMODEL, content, _RULES, {"flavors"})
    flavors = content.get("flavors") if isinstance(content, dict) else None
    if not isinstance(flavors, dict):
        return
    pyfunc, sklearn = flavors.get("python_function"), flavors.get("sklearn")
    if flavors.keys() == _FLAVORS:
        rules = {**_SKLEARN, "skops_trusted_types": _types(trusted)}
        yield from _section("flavors.python_function", pyfunc, _PYFUNC, _PYFUNC.keys() - {"code", "python_version"})
        yield from _section("flavors.sklearn", sklearn, rules, {"pickled_model", "serialization_format"})
        if isinstance(pyfunc, dict) and isinstance(sklearn, dict) and pyfunc.get("code") != sklearn.get("code"):
            yield "the flavors name different folders of code; allowed is the same in both"


def _section(where: str, found: Any, rules: Mapping[str, KeyRule], needed: Collection[str]) -> Iterator[str]:
    if not isinstance(found, dict):
        yield f"{where} is {_short(found)}; allowed is a table of {', '.join(sorted(rules))}"
        return
    for key, value in found.items():
        if key not in rules:
            yield f"{where} has the key {_short(key)}; allowed are {', '.join(sorted(rules))}"
        elif not rules[key].fits(value):
            yield f"{where}: {key} is {_short(value)}; allowed is {rules[key].allowed}"
    for key in sorted(set(needed) - found.keys()):
        yield f"{where} has no {key}; allowed is {rules[key].allowed}"


def _files(folder: Path, code: bool, example: bool, variables: bool) -> Iterator[str]:
    more = {_OF_THE_REGISTRY, *([_EXAMPLE, _REQUEST] if example else []), *([_VARIABLES] if variables else [])}
    names = _ALWAYS_THERE | more
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink():
            yield f"{name} is a link; allowed are files"
        elif "__pycache__" in path.parts[len(folder.parts) :]:
            continue  # Python writes it here; a download with one is refused, see `require_no_compiled_code`
        elif (path.is_file() and name in names) or (code and path.is_dir() and name == CODE):
            continue
        elif code and name == f"{CODE}/{path.name}" and path.is_file() and path.suffix == ".py":
            if shadow := shadowed(path.stem):
                yield f"{name} takes the place of {shadow}, which loading a model needs; name the file differently"
        else:
            yield f"it holds {_short(name)}, which {MLMODEL} does not name; allowed are {', '.join(sorted(names))}" + (
                f" and {CODE}/*.py" if code else ""
            )
    for name in sorted(_ALWAYS_THERE):
        if not (folder / name).is_file():
            yield f"it has no {name}; Slipway writes one with each model"


def _exactly(value: Any) -> KeyRule:
    return KeyRule(_short(value), lambda found: type(found) is type(value) and found == value)


def _text(pattern: str, allowed: str) -> KeyRule:
    return KeyRule(allowed, lambda found: isinstance(found, str) and re.fullmatch(pattern, found, re.ASCII) is not None)


def _types(trusted: Collection[str]) -> KeyRule:
    def fits(found: Any) -> bool:
        return found is None or (isinstance(found, list) and all(isinstance(t, str) and t in trusted for t in found))

    return KeyRule(
        "a list of types that Slipway trusts; allow others with search.trusted_types of experiment.yaml, or with "
        "SLIPWAY_TRUSTED_TYPES where the model is judged or loaded, if they are yours",
        fits,
    )


def _is_signature(found: Any) -> bool:
    if not isinstance(found, dict) or found.keys() - {"inputs", "outputs", "params"} or found.get("params") is not None:
        return False
    sides = [found[side] for side in ("inputs", "outputs") if found.get(side) is not None]
    return bool(sides) and all(map(_are_fields, sides))  # MLflow loads no model whose signature has neither


def _are_fields(text: Any) -> bool:
    try:
        fields = json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        return False
    return (
        isinstance(fields, list)
        and bool(fields)
        and all(
            isinstance(field, dict)
            and not field.keys() - {"type", "name", "required"}
            and isinstance(field.get("type"), str)
            and field["type"] in _FIELD_TYPES
            and isinstance(field.get("name", ""), str)
            and isinstance(field.get("required", True), bool)
            for field in fields
        )
    )


def _is_metadata(found: Any) -> bool:
    if found is None:
        return True
    if not isinstance(found, dict) or found.keys() - {METADATA, FORMS, DIALECT}:
        return False
    try:
        return all(isinstance(text, str) and isinstance(json.loads(text), dict) for text in found.values())
    except (ValueError, RecursionError):
        return False


def _is_id(found: Any) -> bool:
    return isinstance(found, str) and re.fullmatch(r"[\w-]{1,64}", found, re.ASCII) is not None


def _are_names(found: Any) -> bool:
    return isinstance(found, list) and all(isinstance(name, str) and re.fullmatch(r"\w+", name) for name in found)


def _short(value: Any) -> str:
    return _line(repr(value))


def _line(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 200 else f"{text[:200]}…"


_FLAVORS = {"python_function", "sklearn"}
_ID = KeyRule("an id, or nothing", lambda found: found is None or _is_id(found))
_VERSION = _text(r"\d[\w.+!-]{0,40}", "a version")
_CODE = KeyRule(f"{CODE}, or nothing", lambda found: found is None or found == CODE)
_PYFUNC = {
    "code": _CODE,
    "env": _exactly({"conda": CONDA, "virtualenv": PYTHON_ENV}),
    "loader_module": _exactly("mlflow.sklearn"),
    "model_path": _exactly(SKOPS),
    "predict_fn": _exactly("predict"),  # of a regression and of a classification, probabilities or not
    "python_version": _VERSION,
}
_SKLEARN = {
    "code": _CODE,
    "pickled_model": _exactly(SKOPS),
    "serialization_format": KeyRule("'skops', as a pickle can run any code", lambda found: found == "skops"),
    "sklearn_version": _VERSION,
}
_RULES = {
    "artifact_path": KeyRule("a text", lambda found: isinstance(found, str)),
    "env_vars": KeyRule("a list of names of variables", _are_names),
    "flavors": KeyRule(
        "the flavors python_function and sklearn", lambda found: isinstance(found, dict) and found.keys() == _FLAVORS
    ),
    "is_signature_from_type_hint": _exactly(False),
    "metadata": KeyRule(f"{METADATA}, {FORMS} and {DIALECT} as JSON", _is_metadata),
    "mlflow_version": _VERSION,
    "model_id": _ID,
    "model_size_bytes": KeyRule("a number of bytes", lambda found: type(found) is int and found >= 0),
    "model_uuid": _ID,
    "prompts": KeyRule("nothing", lambda found: found is None),
    "run_id": _ID,
    "saved_input_example_info": _exactly(
        {
            "artifact_path": _EXAMPLE,
            "pandas_orient": "split",
            "serving_input_path": _REQUEST,
            "type": "dataframe",
        }
    ),
    "signature": KeyRule("columns with a name, a type and whether it is required, and no params", _is_signature),
    "type_hint_from_example": _exactly(False),
    "utc_time_created": _text(r"[\d :.+T-]{1,40}", "a time"),
}
