"""Plain words for the errors that pydantic finds in a declaration: what was found, and what is allowed there."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from pydantic_core import ErrorDetails

_USER_IN_URL = re.compile(r"://[^\s'\"]*@")
_MOST = 80
_MAPPING = "a mapping of keys with values, as in {type: float}"
_NUMBER, _WHOLE, _TEXT = "a number", "a whole number", "a text; quotes make one of a number"
_LIST, _TRUTH = "a list, as in [a, b]", "true or false"
_MOMENT = "a day or a time, as in 2013-01-31 or 2013-01-31T10:00:00Z"
_WANTED: Mapping[str, str] = {
    **dict.fromkeys(("model_type", "model_attributes_type", "dict_type", "dataclass_type", "mapping_type"), _MAPPING),
    **dict.fromkeys(("float_type", "float_parsing"), _NUMBER),
    **dict.fromkeys(("int_type", "int_parsing", "int_from_float", "int_parsing_size"), _WHOLE),
    **dict.fromkeys(("string_type", "string_unicode"), _TEXT),
    **dict.fromkeys(("list_type", "tuple_type", "set_type", "iterable_type"), _LIST),
    **dict.fromkeys(("bool_type", "bool_parsing"), _TRUTH),
    **dict.fromkeys(("datetime_type", "datetime_parsing", "datetime_from_date_parsing", "date_type"), _MOMENT),
    **dict.fromkeys(("datetime_object_invalid", "date_parsing", "date_from_datetime_parsing"), _MOMENT),
    "finite_number": "a finite number",
}
"""The words for what is allowed, by the type of pydantic's error."""
_BOUNDS: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "greater_than": lambda given: f"more than {given['gt']:g}",
    "greater_than_equal": lambda given: f"{given['ge']:g} or more",
    "less_than": lambda given: f"less than {given['lt']:g}",
    "less_than_equal": lambda given: f"{given['le']:g} or less",
    "string_too_short": lambda given: f"a text of {given['min_length']} character(s) or more",
    "string_too_long": lambda given: f"a text of {given['max_length']:,} characters or fewer",
    "too_short": lambda given: f"{given['min_length']} or more; there are {given['actual_length']}",
    "too_long": lambda given: f"{given['max_length']} or fewer",
}


def plain_words(detail: ErrorDetails) -> str:
    """Return an error of pydantic in plain words; what pydantic says where no words are known."""
    kind, found = detail["type"], shown(detail["input"])
    if kind in _WANTED:
        return f"found {found}; allowed is {_WANTED[kind]}"
    if kind in _BOUNDS:
        return f"found {found}; allowed is {_BOUNDS[kind](detail['ctx'])}"
    if kind == "value_error":
        return f"found {found}: {detail['ctx']['error']}"
    return f"found {found}: {detail['msg'][0].lower()}{detail['msg'][1:]}"


def shown(value: Any) -> str:
    """Return what stands in the file, cut where it is long; a mapping or list is told by its kind and its first keys."""
    if value is None:
        return "nothing"
    if isinstance(value, dict | list) and len(repr(value)) > _MOST:
        return f"a {'mapping' if isinstance(value, dict) else 'list'} with {len(value)} values"
    spelled = _USER_IN_URL.sub("://…@", repr(value))  # which may hold a password
    return spelled if len(spelled) <= _MOST else f"{spelled[:_MOST]}…"
