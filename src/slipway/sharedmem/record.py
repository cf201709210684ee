"""Records of the ring: an answered request, or labels. Each can be read without having seen another one."""

import json
import struct
from dataclasses import asdict, dataclass
from typing import Any

ANSWERED, LABELS = 1, 2
_HEAD = struct.Struct(">BdIHHI")


@dataclass(frozen=True)
class AnsweringVersion:
    """The version that answered.

    Attributes:
        model: Name of the registered model.
        version: Number of the version.
        stage: Stage that the version was in.
        inputs: Name and MLflow type of each column.
        output: MLflow's type of a prediction.
        classes: The classes of a classifier, in the order of its probabilities; None for a regressor.
    """

    model: str
    version: int
    stage: str
    inputs: tuple[tuple[str, str], ...]
    output: str
    classes: tuple[Any, ...] | None

    def encoded(self) -> bytes:
        """Return the version as JSON, which `of` reads."""
        return json.dumps(asdict(self)).encode()

    @classmethod
    def of(cls, encoded: bytes) -> "AnsweringVersion":
        """Read the JSON of `encoded`."""
        content = json.loads(encoded)
        inputs = tuple((name, kind) for name, kind in content.pop("inputs"))
        classes = content.pop("classes")
        return cls(**content, inputs=inputs, classes=None if classes is None else tuple(classes))


def packed(
    kind: int, at: float, about: bytes, request_id: bytes, content_type: bytes, body: bytes, answer: bytes = b""
) -> bytes:
    """Return the bytes of a record, which `Record.of` reads. The arguments are the attributes of Record."""
    head = _HEAD.pack(kind, at, len(about), len(request_id), len(content_type), len(body))
    return b"".join((head, about, request_id, content_type, body, answer))


@dataclass(frozen=True)
class Record:
    """A record of the ring.

    Attributes:
        kind: ANSWERED or LABELS.
        at: Seconds since 1970.
        about: An encoded AnsweringVersion.
        request_id: Id of the request; ASCII.
        content_type: Content-Type of the request; Latin-1.
        body: The body of the request as it came, or labels as a JSON list of [request id, row, label].
        answer: The body of the answer.
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
        """Read the bytes of `packed`."""
        kind, at, *lengths = _HEAD.unpack_from(content)
        parts, begins = [], _HEAD.size
        for length in lengths:
            parts.append(content[begins : begins + length])
            begins += length
        about, request_id, content_type, body = parts
        return cls(kind, at, about, request_id, content_type, body, content[begins:])
