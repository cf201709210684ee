"""Messages over a pipe of `multiprocessing`, as pickles: both ends are processes of the same endpoint.

The arrays of a plan travel beside the pickle, so that a front reads a large plan without holding up its answers.
"""

import pickle
from multiprocessing.connection import Connection
from typing import Any


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
    """Wait for a message of `send`; raises EOFError when the other end is gone. Not for bytes that other users can send."""
    head, sizes = pickle.loads(connection.recv_bytes())  # noqa: S301 from a process of this endpoint
    buffers = [bytearray(size) for size in sizes]
    for buffer in buffers:
        if buffer:
            connection.recv_bytes_into(buffer)
    return pickle.loads(head, buffers=buffers)  # noqa: S301 the same
