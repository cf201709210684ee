"""The page to try a model: a form made from the signature and the contract. It takes nothing from other servers.

The page works without JavaScript; with it, a number that has bounds gets a slider.
"""

import json
import math
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, FunctionLoader, Template

from slipway.colours import COLOURS
from slipway.core.expectations import Expectation, shown
from slipway.serving.contract import InputColumn, Signature
from slipway.serving.front.try_words import answer_in_words, hint, unexpected_in_words
from slipway.serving.inference.models import ServedModel

CONTENT_TYPE = b"text/html; charset=utf-8"
HEADERS = (
    b"content-security-policy: default-src 'none'; style-src 'self'; script-src 'self'; img-src data:; form-action 'self'; "
    b"base-uri 'none'; frame-ancestors 'none'\r\nx-frame-options: DENY\r\nreferrer-policy: no-referrer\r\n"
)
_WHOLE = ("long", "integer")
_NUMBERS = ("double", "float", *_WHOLE)
_MOST_OFFERED = 200
"""The most categories that are offered beside a field in which any text may be written."""
_HOST = re.compile(rb"[A-Za-z0-9.:\[\]-]{1,255}")


@dataclass(frozen=True)
class TriedAnswer:
    """The outcome of a filled form.

    Attributes:
        request: The request that was made of the form.
        status: The status of the answer.
        body: The body of the answer.
        probabilities: The body of the answer to the same request for probabilities; empty without one.
    """

    request: bytes
    status: int
    body: bytes
    probabilities: bytes = b""


def page(
    served: ServedModel,
    others: "list[str]",
    values: Mapping[str, str] | None = None,
    outcome: TriedAnswer | None = None,
    host: bytes = b"",
) -> bytes:
    """Return the page of a model.

    Args:
        served: The model.
        others: The names of the models that the page links to.
        values: The texts of the form's fields, by their keys; None for those of the model's example.
        outcome: The outcome of the filled form; None for a form that was not sent.
        host: The Host header of the request, for the command that does the same from a shell.
    """
    generation = served.generation
    if values is None:
        values = _of_example(generation.signature)
    fields = [_field(number, column, values) for number, column in enumerate(generation.signature.inputs)]
    shown = _shown(served, outcome, host) if outcome is not None else {}
    html = _template().render(
        generation=generation,
        compiled=served.fast_path is not None,
        why_not=served.why_not,
        fields=fields,
        others=others,
        **shown,
    )
    return html.encode()


@cache
def asset(name: str) -> bytes:
    """Return `style.css` or `sliders.js`."""
    content = files("slipway.serving.front").joinpath(f"templates/{name}").read_bytes()
    return COLOURS.encode() + content if name == "style.css" else content


def request_of(signature: Signature, values: Mapping[str, str], output: str = "labels") -> bytes:
    """Return the request of a filled form. A text that has not the type of its column stays a text, so that it is refused."""
    body: dict[str, Any] = {"dataframe_records": [_row(signature, values)]}
    if output != "labels":
        body["params"] = {"output": output}
    return json.dumps(body, ensure_ascii=False).encode()


def _row(signature: Signature, values: Mapping[str, str]) -> dict[str, Any]:
    return {column.name: _value(column, values.get(_key(number), "")) for number, column in enumerate(signature.inputs)}


def _value(column: InputColumn, text: str) -> Any:
    if not text:
        return None if not column.required or column.type != "string" else ""
    try:
        if column.type in _WHOLE:
            return int(text)
        if column.type in _NUMBERS:
            number = float(text)
            return number if math.isfinite(number) else text
    except ValueError:
        return text
    return text == "true" if column.type == "boolean" else text


def _key(number: int) -> str:
    return f"column_{number}"


def _field(number: int, column: InputColumn, values: Mapping[str, str]) -> dict[str, Any]:
    numeric, expectation = column.type in _NUMBERS, column.expectation or Expectation()
    value = values.get(_key(number), "")
    choices = [each if isinstance(each, str) else shown(each) for each in expectation.values or ()]
    return {
        "key": _key(number),
        "name": column.name,
        "hint": hint(column.type, expectation, required=column.required),
        "boolean": column.type == "boolean",
        "required": column.required,
        "number": numeric,
        "text": column.type == "string",
        "step": "1" if column.type in _WHOLE else "any",
        "value": value,
        "choices": [*choices, *([value] if value and choices and value not in choices else [])],
        "known": list(expectation.known or ())[:_MOST_OFFERED],
        "slider": _slider(column, expectation, value) if numeric and not choices else None,
    }


def _slider(column: InputColumn, expectation: Expectation, value: str) -> dict[str, Any] | None:
    """Return the ends, step and place of a column's slider; None for a column without two numbers as bounds."""
    low, high = expectation.low, expectation.high
    if not isinstance(low, int | float) or not isinstance(high, int | float) or not low < high:
        return None
    step = 1.0 if column.type in _WHOLE else 10.0 ** math.floor(math.log10((high - low) / 100))
    try:
        place = float(value)
    except ValueError:
        place = (low + high) / 2
    return {"low": low, "high": high, "step": step, "place": place}


def _of_example(signature: Signature) -> dict[str, str]:
    """Return the texts that fill a form at first: the first row of the model's own example."""
    try:
        example = json.loads(signature.example or "{}", parse_constant=lambda _: None)
        if split := example.get("dataframe_split"):
            row = dict(zip(split["columns"], split["data"][0], strict=True))
        else:
            row = (example.get("dataframe_records") or example.get("instances") or [{}])[0]
    except (ValueError, KeyError, IndexError, AttributeError):
        row = {}
    shown = {number: row.get(column.name) for number, column in enumerate(signature.inputs)}
    return {
        _key(number): value if isinstance(value, str) else json.dumps(value)
        for number, value in shown.items()
        if value is not None
    }


def _shown(served: ServedModel, outcome: TriedAnswer, host: bytes) -> dict[str, Any]:
    answer, shown_ = json.loads(outcome.body), dict[str, Any](status=outcome.status)
    if outcome.status == 200:
        prediction = answer["predictions"][0]
        probabilities = _probabilities(served, outcome)
        row = json.loads(outcome.request)["dataframe_records"][0]
        shown_ |= {
            "outcome": prediction,
            "words": answer_in_words(prediction, probabilities),
            "doubts": unexpected_in_words(served.values, row),
            "probabilities": probabilities,
        }
    else:
        shown_["outcome"] = answer["message"]
    address = f"/models/{quote(served.generation.model)}/invocations"
    body, where = shlex.quote(outcome.request.decode()), host.decode() if _HOST.fullmatch(host) else "HOST:PORT"
    shown_["curl"] = f"curl -s http://{where}{address} -H 'Content-Type: application/json' -d {body}"
    return shown_


def _probabilities(served: ServedModel, outcome: TriedAnswer) -> list[tuple[object, float]]:
    if not outcome.probabilities:
        return []
    row = json.loads(outcome.probabilities)["predictions"][0]
    return list(zip(served.generation.signature.classes or (), row, strict=True))


@cache
def _template() -> Template:
    load = FunctionLoader(lambda name: files("slipway.serving.front").joinpath(f"templates/{name}").read_text("utf-8"))
    return Environment(loader=load, autoescape=True, trim_blocks=True).get_template("try.html")
