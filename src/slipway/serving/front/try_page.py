"""The page to try a model: a form made from the signature, without JavaScript and without anything from other servers."""

import json
import math
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, FunctionLoader, Template

from slipway.serving.contract import InputColumn, Signature
from slipway.serving.inference.models import ServedModel

CONTENT_TYPE = b"text/html; charset=utf-8"
HEADERS = (
    b"content-security-policy: default-src 'none'; style-src 'self'; img-src data:; form-action 'self'; "
    b"base-uri 'none'; frame-ancestors 'none'\r\nx-frame-options: DENY\r\nreferrer-policy: no-referrer\r\n"
)
_WHOLE = ("long", "integer")
_NUMBERS = ("double", "float", *_WHOLE)


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
) -> bytes:
    """Return the page of a model.

    Args:
        served: The model.
        others: The names of the models that the page links to.
        values: The texts of the form's fields, by their keys; None for those of the model's example.
        outcome: The outcome of the filled form; None for a form that was not sent.
    """
    generation = served.generation
    if values is None:
        values = _of_example(generation.signature)
    fields = [_field(number, column, values) for number, column in enumerate(generation.signature.inputs)]
    shown = _shown(served, outcome) if outcome is not None else {}
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
def style() -> bytes:
    return files("slipway.serving.front").joinpath("templates/style.css").read_bytes()


def request_of(signature: Signature, values: Mapping[str, str], output: str = "labels") -> bytes:
    """Return the request of a filled form. A text that has not the type of its column stays a text, so that it is refused."""
    row = {column.name: _value(column, values.get(_key(number), "")) for number, column in enumerate(signature.inputs)}
    body: dict[str, Any] = {"dataframe_records": [row]}
    if output != "labels":
        body["params"] = {"output": output}
    return json.dumps(body, ensure_ascii=False).encode()


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
    numeric = column.type in _NUMBERS
    return {
        "key": _key(number),
        "name": column.name,
        "type": column.type,
        "required": column.required,
        "kind": "number" if numeric else "",
        "step": "1" if column.type in _WHOLE else "any",
        "value": values.get(_key(number), ""),
    }


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


def _shown(served: ServedModel, outcome: TriedAnswer) -> dict[str, Any]:
    answer = json.loads(outcome.body)
    shown: dict[str, Any] = {"status": outcome.status}
    if outcome.status == 200:
        shown["outcome"] = answer["predictions"][0]
    else:
        shown["outcome"] = answer["message"]
    if outcome.probabilities:
        row = json.loads(outcome.probabilities)["predictions"][0]
        shown["probabilities"] = list(zip(served.generation.signature.classes or (), row, strict=True))
    address = f"/models/{quote(served.generation.model)}/invocations"
    body = shlex.quote(outcome.request.decode())
    shown["curl"] = f"curl -s http://HOST:PORT{address} -H 'Content-Type: application/json' -d {body}"
    return shown


@cache
def _template() -> Template:
    load = FunctionLoader(lambda name: files("slipway.serving.front").joinpath(f"templates/{name}").read_text("utf-8"))
    return Environment(loader=load, autoescape=True, trim_blocks=True).get_template("try.html")
