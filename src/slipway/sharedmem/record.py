"""What is handed over: an answered request, or labels, each with all that it takes to read it without having seen another."""

import json
import struct
from dataclasses import asdict, dataclass
from typing import Any

ANSWERED, LABELS = 1, 2
_HEAD = struct.Struct(">BdIHHI")


@dataclass(frozen=True)
class AnsweringVersion:
    """The version that answered. inputs: name and MLflow type of each column; output: MLflow's type of a prediction.

    classes: of a classifier, in the order of its probabilities; None for a regressor.
    """

    model: str
    version: int
    stage: str
    inputs: tuple[tuple[str, str], ...]
    output: str
    classes: tuple[Any, ...] | None

    def encoded(self) -> bytes:
        return json.dumps(asdict(self)).encode()

    @classmethod
    def of(cls, encoded: bytes) -> "AnsweringVersion":
        said = json.loads(encoded)
        inputs = tuple((name, kind) for name, kind in said.pop("inputs"))
        classes = said.pop("classes")
        return cls(**said, inputs=inputs, classes=None if classes is None else tuple(classes))


def packed(
    kind: int, at: float, about: bytes, request_id: bytes, content_type: bytes, body: bytes, answer: bytes = b""
) -> bytes:
    """Return the bytes that `Record.of` reads."""
    head = _HEAD.pack(kind, at, len(about), len(request_id), len(content_type), len(body))
    return b"".join((head, about, request_id, content_type, body, answer))


@dataclass(frozen=True)
class Record:
    """kind: ANSWERED or LABELS. at: seconds since 1970. about: an encoded AnsweringVersion.

    body: the request's as it came, or labels as a JSON list of [request id, row, label]. answer: the body of the answer.
    """

    kind: int
    at: float
    about: bytes
    request_id: bytes
    content_type: bytes
    body: bytes
    answer: bytes = b""

    @classmethod
    def of(cls, content: bytes) -> "Record":
        kind, at, *lengths = _HEAD.unpack_from(content)
        found, begins = [], _HEAD.size
        for length in lengths:
            found.append(content[begins : begins + length])
            begins += length
        about, request_id, content_type, body = found
        return cls(kind, at, about, request_id, content_type, body, content[begins:])
