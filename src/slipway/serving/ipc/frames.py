"""Frames on Unix sockets, without pickle: requests to the backs, their responses, and copies for the comparer.

A frame is four bytes of length, then a message as MessagePack. Measured against structs packed by hand: as fast for a body of
1 MB, and six times as fast at decoding a body of 1 KB.
"""

import struct

import msgspec

from slipway.core.expectations import Find


# ---- front ↔ back
class ModelRequest(msgspec.Struct, frozen=True, array_like=True):
    """A request to `/invocations`. A back need not answer it after its deadline.

    Attributes:
        id: Number of the request on its connection.
        deadline: By `time.monotonic()`, which the processes of a machine share.
        content_type: As MLflow spells it, "" for none.
        body: The body as it came.
    """

    id: int
    deadline: float
    content_type: str
    body: bytes


class ModelResponse(msgspec.Struct, frozen=True, array_like=True):
    """The answer of a back.

    Attributes:
        id: Number of the request.
        status: HTTP status.
        mimetype: Without charset.
        body: From a status of 400 on, as `http.messages.refusal` makes it.
        finds: Values of the request that the contract does not expect.
    """

    id: int
    status: int
    mimetype: str
    body: bytes
    finds: tuple[Find, ...] = ()


# ---- front → comparer
class MirroredRequest(msgspec.Struct, frozen=True, array_like=True):
    """A request and its answer, to be compared.

    Attributes:
        pair: Numbers of the generations of the primary and of the variant when the request was answered.
        seconds: Time that the answer took.
        content_type: As `protocol.content_types` normalises it.
        body: The body of the request.
        answer: The body of the answer.
    """

    pair: tuple[int, int]
    seconds: float
    content_type: bytes
    body: bytes
    answer: bytes

    @property
    def size(self) -> int:
        return len(self.body) + len(self.answer)

    def frame(self) -> bytearray:
        """Return the frame of the copy, whose content `mirrored_request` reads."""
        return _framed(self)


MOST_BYTES = 16_000_000
"""Bytes of copies that a front keeps for a comparer that does not take them."""

_LENGTH = struct.Struct(">I")
_ENCODER = msgspec.msgpack.Encoder()
_ASKS = msgspec.msgpack.Decoder(ModelRequest)
_ANSWERS = msgspec.msgpack.Decoder(ModelResponse)
_COPIES = msgspec.msgpack.Decoder(MirroredRequest)


def frame(message: ModelRequest | ModelResponse) -> bytearray:
    """Return the frame of a message, whose content `ask` or `answer` reads."""
    return _framed(message)


def ask(content: bytes) -> ModelRequest:
    """Read the content of a frame, without its length."""
    return _ASKS.decode(content)


def answer(content: bytes) -> ModelResponse:
    """Read the content of a frame, without its length."""
    return _ANSWERS.decode(content)


def mirrored_request(content: bytes) -> MirroredRequest:
    """Read the content of a frame, without its length."""
    return _COPIES.decode(content)


class Frames:
    """Cuts what arrives on a socket into the contents of frames."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """Return the contents of all frames that are complete now."""
        self._rest += data
        contents, at = [], 0
        while len(self._rest) - at >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._rest, at)
            end = at + _LENGTH.size + length
            if len(self._rest) < end:
                break
            contents.append(bytes(self._rest[at + _LENGTH.size : end]))
            at = end
        del self._rest[:at]
        return contents


def _framed(message: msgspec.Struct) -> bytearray:
    # Encoded behind the room for the length: joining the two would copy a large body once more.
    framed = bytearray(_LENGTH.size)
    _ENCODER.encode_into(message, framed, _LENGTH.size)
    _LENGTH.pack_into(framed, 0, len(framed) - _LENGTH.size)
    return framed
