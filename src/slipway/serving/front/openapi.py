"""The OpenAPI document of an endpoint, made from the signatures of its models."""

import json
from typing import Any
from urllib.parse import quote

from slipway.serving.contract import Generation, InputColumn, Signature
from slipway.serving.http.messages import CODES
from slipway.serving.protocol.request_reader import LABELS, outputs_of
from slipway.types import JSON_FORMATS
from slipway.version import __version__

_TYPES: dict[str, dict[str, Any]] = {
    "double": {"type": "number"},
    "float": {"type": "number"},
    "long": {"type": "integer", "minimum": -(2**63), "maximum": 2**63 - 1},
    "integer": {"type": "integer", "minimum": -(2**31), "maximum": 2**31 - 1},
    "boolean": {"type": "boolean"},
    "string": {"type": "string"},
    "datetime": {"type": "string", "format": "date-time"},
    "binary": {"type": "string", "contentEncoding": "base64"},
}
_REFUSED = (400, 401, 408, 413, 415, 431, 503, 504)


def document(
    generations: "list[Generation]", max_rows: int, *, keyed: bool = False, feedback: bool = False
) -> dict[str, Any]:
    """Return the document, in version 3.1 of OpenAPI.

    Args:
        generations: The versions that are served.
        max_rows: The number of rows that a request may hold.
        keyed: Whether a caller has to name a key.
        feedback: Whether labels are taken.
    """
    alone = len(generations) == 1
    paths: dict[str, Any] = {}
    for generation in generations:
        paths[f"/models/{quote(generation.model)}/invocations"] = _invocations(generation, max_rows, "")
        paths[f"/endpoints/{quote(generation.model)}/invocations"] = _invocations(generation, max_rows, "-endpoint")
        if alone:
            paths["/invocations"] = _invocations(generation, max_rows, "_alone")
        if feedback:
            paths[f"/models/{quote(generation.model)}/feedback"] = _feedback(generation, max_rows, "")
            if alone:
                paths["/feedback"] = _feedback(generation, max_rows, "_alone")
    for path, operation in _STATUS_PATHS.items():
        paths[path] = {"get": operation}
    paths["/try"] = {"post": _TRY}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": ", ".join(generation.model for generation in generations),
            "version": ", ".join(str(generation.version) for generation in generations),
            "description": f"MLflow's scoring protocol, served by Slipway {__version__}.",
        },
        "paths": paths,
        "components": {
            "schemas": {"Error": _ERROR},
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "key": {"type": "apiKey", "in": "header", "name": "X-Api-Key"},
                "basic": {"type": "http", "scheme": "basic"},
            },
        },
        "security": [*([] if keyed else [{}]), {"bearer": []}, {"key": []}, {"basic": []}],
    }


def _invocations(generation: Generation, max_rows: int, suffix: str) -> dict[str, Any]:
    signature = generation.signature
    content: dict[str, Any] = {"schema": _request(signature, max_rows)}
    if signature.example:
        content["example"] = json.loads(signature.example, parse_constant=lambda _: None)
    answer = {"schema": _answer(signature)}
    return {
        "post": {
            "operationId": _operation("predict", generation, suffix),
            "summary": f"Predictions of {generation.model}, version {generation.version}",
            "requestBody": {
                "required": True,
                "content": {"application/json": content, "text/csv": {"schema": {"type": "string"}}},
            },
            "responses": {
                "200": {"description": "One prediction a row.", "content": {"application/json": answer}},
                **{str(status): _refused(status) for status in _REFUSED},
            },
        }
    }


def _operation(what: str, generation: Generation, suffix: str) -> str:
    return f"{what}_{''.join(c if c.isalnum() else '_' for c in generation.model)}{suffix}"


def _feedback(generation: Generation, max_rows: int, suffix: str) -> dict[str, Any]:
    classes = generation.signature.classes
    label: dict[str, Any] = {"type": "number"} if classes is None else {"enum": list(classes)}
    request_id = {"type": "string", "description": "The X-Request-Id of the answer."}
    labels = {"type": "array", "items": label, "minItems": 1, "maxItems": max_rows, "description": "One a row."}
    row = {"type": "integer", "minimum": 0, "default": 0}
    ways = [
        {"properties": {"request_id": request_id, "labels": labels}, "required": ["request_id", "labels"]},
        {"properties": {"request_id": request_id, "row": row, "label": label}, "required": ["request_id", "label"]},
    ]
    one: dict[str, Any] = {"oneOf": [{"type": "object", "additionalProperties": False, **way} for way in ways]}
    schema = {"oneOf": [one, {"type": "array", "items": one, "minItems": 1}]}
    taken = {"type": "object", "properties": {"taken": {"type": "integer"}}, "required": ["taken"]}
    return {
        "post": {
            "operationId": _operation("feedback", generation, suffix),
            "summary": f"What turned out to be true of requests to {generation.model}",
            "requestBody": {"required": True, "content": {"application/json": {"schema": schema}}},
            "responses": {
                "200": {
                    "description": "How many labels were taken.",
                    "content": {"application/json": {"schema": taken}},
                },
                **{str(status): _refused(status) for status in (400, 401, 408, 413, 415, 503)},
            },
        }
    }


def _request(signature: Signature, max_rows: int) -> dict[str, Any]:
    row = {
        "type": "object",
        "properties": {column.name: _type(column) for column in signature.inputs},
        "required": [column.name for column in signature.inputs if column.required],
    }
    rows = {"type": "array", "items": row, "minItems": 1, "maxItems": max_rows}
    data = {"type": "array", "items": {"type": "array"}, "minItems": 1, "maxItems": max_rows}
    columns = {"type": "array", "items": {"enum": [column.name for column in signature.inputs]}}
    lists = {column.name: {"type": "array", "items": _type(column), "minItems": 1} for column in signature.inputs}
    split = {
        "type": "object",
        "properties": {"columns": columns, "data": data},
        "required": ["columns", "data"],
    }
    inputs = {"type": "object", "properties": lists, "required": row["required"]}
    formats = zip(JSON_FORMATS, (rows, split, rows, inputs), strict=True)
    params = {}
    if outputs := outputs_of(signature.classes, probabilities=signature.probabilities):
        output = {"enum": list(outputs), "default": LABELS}
        params = {"params": {"type": "object", "properties": {"output": output}}}
    return {
        "oneOf": [
            {"type": "object", "properties": {key: schema} | params, "required": [key], "additionalProperties": False}
            for key, schema in formats
        ]
    }


def _type(column: InputColumn) -> dict[str, Any]:
    schema = dict(_TYPES.get(column.type, {}))
    if not column.required and "type" in schema:
        schema["type"] = [schema["type"], "null"]
    return schema


def _answer(signature: Signature) -> dict[str, Any]:
    label: dict[str, Any] = dict(_TYPES.get(signature.output, {}))
    if signature.classes is None:
        return _predictions(label)
    labels = _predictions({"enum": list(signature.classes)})
    if not signature.probabilities:
        return labels
    width = len(signature.classes)
    described = (
        f"The probabilities of the classes {json.dumps(list(signature.classes), ensure_ascii=False)}, in this order."
    )
    table = {
        "type": "array",
        "items": {"type": "number"},
        "minItems": width,
        "maxItems": width,
        "description": described,
    }
    return {"oneOf": [labels, _predictions(table)]}


def _predictions(item: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {"predictions": {"type": "array", "items": item}},
        "required": ["predictions"],
    }


def _refused(status: int) -> dict[str, Any]:
    return {
        "description": CODES[status],
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
    }


_ERROR = {
    "type": "object",
    "properties": {"error_code": {"type": "string"}, "message": {"type": "string"}},
    "required": ["error_code", "message"],
}


def _status(description: str, mimetype: str = "application/json", *, keyed: bool = False) -> dict[str, Any]:
    """Describe the answer of a GET. keyed: whether the path asks for a key where the endpoint has keys."""
    answers = {"200": {"description": description, "content": {mimetype: {}}}}
    return {"responses": answers | {"401": _refused(401)}} if keyed else {"responses": answers, "security": []}


_TRY = {
    "summary": "The page, with the prediction for a filled form.",
    "requestBody": {
        "required": True,
        "content": {"application/x-www-form-urlencoded": {"schema": {"type": "object"}}},
    },
    "responses": {
        **_status("The page.", "text/html", keyed=True)["responses"],
        **{str(status): _refused(status) for status in (400, 404, 413)},
    },
}
_STATUS_PATHS = {
    "/ping": _status("The process answers."),
    "/health": _status("The same."),
    "/version": _status("MLflow's version."),
    "/style.css": _status("What the page looks like.", "text/css"),
    "/sliders.js": _status("The sliders of the page.", "text/javascript"),
    "/ready": {
        "security": [],
        "responses": {
            **_status("A model is served; which version of it.")["responses"],
            "503": {"description": "None is, or the endpoint is ending.", "content": {"application/json": {}}},
        },
    },
    "/metrics": _status("Prometheus' text format.", "text/plain", keyed=True),
    "/openapi.json": _status("This document.", keyed=True),
    "/": {
        "parameters": [{"name": "model", "in": "query", "schema": {"type": "string"}}],
        "responses": {
            **_status("A page to try a model.", "text/html", keyed=True)["responses"],
            "404": _refused(404),
        },
    },
}
