"""What is said to a caller whose request is not answered: MLflow's error as JSON, without traceback and without the input."""

import json

CODES = {
    400: "BAD_REQUEST",
    401: "UNAUTHENTICATED",
    404: "RESOURCE_DOES_NOT_EXIST",
    405: "ENDPOINT_NOT_FOUND",
    408: "REQUEST_TIMEOUT",
    411: "BAD_REQUEST",
    413: "REQUEST_LIMIT_EXCEEDED",
    415: "BAD_REQUEST",
    431: "REQUEST_LIMIT_EXCEEDED",
    500: "INTERNAL_ERROR",
    501: "NOT_IMPLEMENTED",
    503: "TEMPORARILY_UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
"""`error_code` by status, where nobody named another one."""


def refusal(status: int, message: str, code: str = "") -> bytes:
    """Return the body of an error, in the form of MLflow's: `{"error_code": …, "message": …}`."""
    return json.dumps({"error_code": code or CODES.get(status, "INTERNAL_ERROR"), "message": message}).encode()
