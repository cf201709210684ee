"""Frames on Unix sockets, without pickle: questions to the processes that hold a model, and copies for the comparer."""

import struct
from dataclasses import dataclass

import msgspec

from slipway.core.expectations import Find


# ---- front ↔ back
@dataclass(frozen=True)
class ModelRequest:
    """A request to `/invocations`. deadline: of `time.monotonic()`, which the processes of a machine share.

    content_type: as MLflow spells it, "" for none. What the deadline has passed for need not be answered.
    """

    id: int
    deadline: float
    content_type: str
    body: bytes


@dataclass(frozen=True)
class ModelResponse:
    """What a back answers. mimetype: without charset. A body with a status of 400 or more is made by `refusals.refusal`.

    finds: what the request holds that the contract does not expect.
    """

    id: int
    status: int
    mimetype: str
    body: bytes
    finds: tuple[Find, ...] = ()


_LENGTH = struct.Struct(">I")


_ASK = struct.Struct(">QdH")


_ANSWER = struct.Struct(">QHHI")


def frame(message: ModelRequest | ModelResponse) -> bytes:
    """Return the bytes of a message: four of length, then what `ask` or `answer` reads."""
    if isinstance(message, ModelRequest):
        text = message.content_type.encode()[:65535]
        head = _ASK.pack(message.id, message.deadline, len(text))
    else:
        text, finds = message.mimetype.encode(), msgspec.json.encode(message.finds) if message.finds else b""
        head = _ANSWER.pack(message.id, message.status, len(text), len(finds))
        text += finds
    return b"".join((_LENGTH.pack(len(head) + len(text) + len(message.body)), head, text, message.body))


def ask(content: bytes) -> ModelRequest:
    """Read the content of a frame, without its length."""
    number, deadline, length = _ASK.unpack_from(content)
    at = _ASK.size + length
    return ModelRequest(number, deadline, content[_ASK.size : at].decode("utf-8", "replace"), content[at:])


def answer(content: bytes) -> ModelResponse:
    """Read the content of a frame, without its length."""
    number, status, length, more = _ANSWER.unpack_from(content)
    at = _ANSWER.size + length
    finds = msgspec.json.decode(content[at : at + more], type=tuple[Find, ...]) if more else ()
    return ModelResponse(number, status, content[_ANSWER.size : at].decode(), content[at + more :], finds)


class Frames:
    """Cuts what arrives on a socket into the contents of frames."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """Return the contents of all frames that are complete now."""
        self._rest += data
        found, at = [], 0
        while len(self._rest) - at >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._rest, at)
            end = at + _LENGTH.size + length
            if len(self._rest) < end:
                break
            found.append(bytes(self._rest[at + _LENGTH.size : end]))
            at = end
        del self._rest[:at]
        return found


MOST_BYTES = 16_000_000
"""Of what a front keeps for a process that does not take it."""


_HEAD = struct.Struct(">IQQdHI")


@dataclass(frozen=True)
class MirroredRequest:
    """A request and its answer. pair: the generations of the first and of the second version when it was answered.

    seconds: that the answer took.
    """

    pair: tuple[int, int]
    seconds: float
    content_type: bytes
    body: bytes
    answer: bytes

    @property
    def size(self) -> int:
        return len(self.body) + len(self.answer)

    def frame(self) -> bytes:
        """Return the bytes of it: four of length, then what `mirrored_request` reads."""
        kind, body = self.content_type, self.body
        size = _HEAD.size - 4 + len(kind) + len(body) + len(self.answer)
        head = _HEAD.pack(size, *self.pair, self.seconds, len(kind), len(body))
        return b"".join((head, kind, body, self.answer))


def mirrored_request(content: bytes) -> MirroredRequest:
    """Read the content of a frame, without its length."""
    _, first, variant, seconds, kind, body = _HEAD.unpack_from(b"\0\0\0\0" + content[: _HEAD.size])
    at = _HEAD.size - 4
    ends = at + kind, at + kind + body
    return MirroredRequest(
        (first, variant), seconds, content[at : ends[0]], content[ends[0] : ends[1]], content[ends[1] :]
    )
