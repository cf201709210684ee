"""What the processes of an endpoint say to each other.

Supervisor and fronts speak over a pipe of `multiprocessing`: pickles, since both ends are our own processes, with the arrays of
a plan beside the pickle, so that a large plan is read without holding up the front's answers. Fronts and backs speak over Unix
sockets in frames that hold no pickle.
"""

import pickle
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any, Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

from slipway.core.arms import ArmState
from slipway.core.expectations import Expectation, Find


class Plan(Protocol):
    """A compiled model, as a front uses it (`slipway.compile.Compiled`).

    inputs: the columns of a row, in order. classes: of a classifier, in the order of the probabilities; None for a regressor.
    Every method raises a ValueError on rows that only the model itself can be asked about; then the whole request is its.
    """

    inputs: tuple[str, ...]
    classes: tuple[Any, ...] | None

    @property
    def has_probabilities(self) -> bool: ...

    def encode(self, rows: Sequence[Sequence[object]]) -> NDArray[np.float64]: ...

    def predict(self, encoded: NDArray[np.float64]) -> NDArray[Any]: ...

    def predict_proba(self, encoded: NDArray[np.float64]) -> NDArray[np.float64]: ...


@dataclass(frozen=True)
class Column:
    """An input of a signature. type: MLflow's name of it: double, float, long, integer, boolean, string, datetime, …

    expectation: what the contract says of its values; None for a version that carries no contract.
    """

    name: str
    type: str
    required: bool = True
    expectation: Expectation | None = None


@dataclass(frozen=True)
class Signature:
    """What a model is asked with. output: MLflow's type of a prediction; example: a request body, JSON, or None.

    classes: of a classifier, in the order of its probabilities, as Python's own types; None for a regressor.
    probabilities: whether the model has `predict_proba`.
    """

    inputs: tuple[Column, ...]
    output: str = "double"
    example: str | None = None
    classes: tuple[Any, ...] | None = None
    probabilities: bool = False


@dataclass(frozen=True)
class Generation:
    """A version that is served. number: counts up with each one that a supervisor starts.

    plan: None when it is not compiled, and then why_not says why. backs: Unix sockets of the processes that hold the model.
    """

    model: str
    version: int
    digest: str
    number: int
    signature: Signature
    plan: Plan | None
    why_not: str
    backs: tuple[str, ...]
    stage: str = ""


# ---- supervisor → front


@dataclass(frozen=True)
class Swap:
    """Serve these from now on, and no others; swapped in between two requests, answered by Swapped.

    second: of the one model that is served then, what its arm is; None for none.
    """

    generations: tuple[Generation, ...]
    second: Generation | None = None


@dataclass(frozen=True)
class Failure:
    """A version did not take over. at: seconds since 1970. Shown on /ready until a later generation of the model takes over."""

    model: str
    version: int
    why: str
    at: float


@dataclass(frozen=True)
class Second:
    """What has become of the second version, for /ready and the metrics. version: which one it is about, 0 for none.

    bound, why: the bound that it passed, and the numbers; of a shadow, which goes on, as long as it is past it.
    at: seconds since 1970. failure: a later version that did not take the role.
    """

    state: ArmState
    version: int
    bound: str
    why: str
    at: float
    failure: Failure | None


@dataclass(frozen=True)
class Keys:
    """The API keys that are valid from now on, as SHA-256 in hex. None: no key is asked for."""

    hashes: tuple[str, ...] | None


@dataclass(frozen=True)
class Drain:
    """Accept nothing more, finish what is under way within `timeout_s`, then end."""

    timeout_s: float = 8.0


# ---- front → supervisor


@dataclass(frozen=True)
class Ready:
    """The front accepts connections (its first Swap was done)."""


@dataclass(frozen=True)
class Swapped:
    """The front answers with these generations' numbers from now on; nothing new is asked of others."""

    numbers: tuple[int, ...]


@dataclass(frozen=True)
class Stuck:
    """A back did not answer within the time of a request: it is to be killed and replaced, at the same socket."""

    back: str


def send(connection: Connection, message: object) -> None:
    """Send a message with its arrays beside it."""
    buffers: list[pickle.PickleBuffer] = []
    head = pickle.dumps(message, protocol=5, buffer_callback=buffers.append)
    views = [buffer.raw() for buffer in buffers]
    connection.send_bytes(pickle.dumps((head, [len(view) for view in views])))
    for view in views:
        if len(view):
            connection.send_bytes(view)


def receive(connection: Connection) -> Any:
    """Wait for a message of `send`. Raises EOFError when the other end is gone. Never for what other users could have sent."""
    head, sizes = pickle.loads(connection.recv_bytes())  # noqa: S301 from a process of ours
    buffers = [bytearray(size) for size in sizes]
    for buffer in buffers:
        if buffer:
            connection.recv_bytes_into(buffer)
    return pickle.loads(head, buffers=buffers)  # noqa: S301 the same


# ---- front ↔ back


@dataclass(frozen=True)
class Ask:
    """A request to `/invocations`. deadline: of `time.monotonic()`, which the processes of a machine share.

    content_type: as MLflow spells it, "" for none. What the deadline has passed for need not be answered.
    """

    id: int
    deadline: float
    content_type: str
    body: bytes


@dataclass(frozen=True)
class Answer:
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


def frame(message: Ask | Answer) -> bytes:
    """Return the bytes of a message: four of length, then what `ask` or `answer` reads."""
    if isinstance(message, Ask):
        text = message.content_type.encode()[:65535]
        head = _ASK.pack(message.id, message.deadline, len(text))
    else:
        text, finds = message.mimetype.encode(), msgspec.json.encode(message.finds) if message.finds else b""
        head = _ANSWER.pack(message.id, message.status, len(text), len(finds))
        text += finds
    return b"".join((_LENGTH.pack(len(head) + len(text) + len(message.body)), head, text, message.body))


def ask(content: bytes) -> Ask:
    """Read the content of a frame, without its length."""
    number, deadline, length = _ASK.unpack_from(content)
    at = _ASK.size + length
    return Ask(number, deadline, content[_ASK.size : at].decode("utf-8", "replace"), content[at:])


def answer(content: bytes) -> Answer:
    """Read the content of a frame, without its length."""
    number, status, length, more = _ANSWER.unpack_from(content)
    at = _ANSWER.size + length
    finds = msgspec.json.decode(content[at : at + more], type=tuple[Find, ...]) if more else ()
    return Answer(number, status, content[_ANSWER.size : at].decode(), content[at + more :], finds)


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
