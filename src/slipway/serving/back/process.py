"""A back: the process that holds a generation's model itself, and answers the requests that the fronts cannot.

A back loads the model, compiles it, compares the plan with the model, and reports to the supervisor. Then it answers the frames
on its Unix socket in one thread, one request at a time or single rows together (`batching`). The supervisor kills a back that
is stuck.
"""

import os
import queue
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection

from slipway.compile import NotCompilable, compile_model, verify
from slipway.errors import OutsideError, Refusal, SlipwayError
from slipway.plans import NotStorable, stored
from slipway.serving.back.batching import MicroBatching
from slipway.serving.back.loaded_model import LoadedModel
from slipway.serving.ipc import channel, frames
from slipway.serving.ipc.frames import Frames, ModelRequest, ModelResponse
from slipway.serving.ipc.messages import ModelFailed, ModelLoaded
from slipway.serving.ipc.plan_transfer import PackedPlan

_CHUNK = 1 << 18
_SEND_TIMEOUT_S = 5.0
_WARM_AFTER_S = 3.0


def back(
    load: Callable[[], LoadedModel], compiled: bool | None, max_rows: int, listener: socket.socket, control: Connection
) -> None:
    """Hold the loaded model and answer for it until the supervisor ends.

    Args:
        load: Loads the model.
        compiled: Whether the generation is compiled; None for its first back, which finds out.
        max_rows: Rows of a request; more are refused with 413.
        listener: The Unix socket of the back.
        control: The pipe to the supervisor.
    """
    from threadpoolctl import threadpool_limits

    threadpool_limits(1)
    try:
        loaded_model = load()
        signature = loaded_model.signature
        plan, why_not = _checked_plan(loaded_model) if compiled is None else (None, "")
        batching = MicroBatching(loaded_model, max_rows)
        if not compiled and plan is None:
            batching.warm()  # without a plan the back answers every request of its generation
    except SlipwayError as error:
        channel.send(control, ModelFailed(str(error), isinstance(error, OutsideError), isinstance(error, Refusal)))
        return
    except Exception as error:  # a broken file, a class that does not load: the fault of the version  # noqa: BLE001
        channel.send(control, ModelFailed(f"it does not load: {type(error).__name__}: {str(error)[:300]}"))
        return
    channel.send(control, ModelLoaded(signature, plan, why_not))
    threading.Thread(target=_end_with, args=[control], daemon=True).start()
    requests: queue.SimpleQueue[_ReceivedRequest] = queue.SimpleQueue()
    threading.Thread(target=_accept, args=[listener, requests], daemon=True).start()
    _warm(batching)
    _answer_all(batching, requests)


def _checked_plan(loaded_model: LoadedModel) -> tuple[PackedPlan | None, str]:
    """Compile the model and compare the plan with it; return the plan, or None and the reason."""
    if loaded_model.beyond_predict:
        return None, loaded_model.beyond_predict
    example = loaded_model.example()
    if example is None or not len(example):
        return None, "it has no input example to check a plan on"
    try:
        compiled = compile_model(loaded_model.model)
        agreement, plan = verify(loaded_model.model, compiled, example), PackedPlan(stored(compiled))
    except (NotCompilable, NotStorable) as error:
        return None, str(error)
    except Exception as error:  # the model serves without a plan  # noqa: BLE001
        return None, f"it could not be compiled and compared: {type(error).__name__}: {str(error)[:300]}"
    if not agreement.equal:
        return (
            None,
            f"compiled, it answers otherwise: {'; '.join(agreement.problems[:1]) or 'nothing could be compared'}",
        )
    return plan, ""


@dataclass(frozen=True)
class _ReceivedRequest:
    request: ModelRequest
    connection: socket.socket

    def answer(self, response: ModelResponse) -> None:
        try:
            self.connection.sendall(frames.frame(response))
        except OSError:  # the front has ended, or does not read
            # Whatever came behind half an answer would be read as the rest of it.
            with suppress(OSError):
                self.connection.shutdown(socket.SHUT_RDWR)


def _accept(listener: socket.socket, requests: "queue.SimpleQueue[_ReceivedRequest]") -> None:
    listener.setblocking(True)
    while True:
        connection, _ = listener.accept()
        seconds = int(_SEND_TIMEOUT_S).to_bytes(8, "little") + bytes(8)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, seconds)
        threading.Thread(target=_read, args=[connection, requests], daemon=True).start()


def _read(connection: socket.socket, requests: "queue.SimpleQueue[_ReceivedRequest]") -> None:
    cutter = Frames()
    with suppress(OSError):
        while data := connection.recv(_CHUNK):
            for content in cutter.feed(data):
                requests.put(_ReceivedRequest(frames.ask(content), connection))


def _answer_all(batching: MicroBatching, requests: "queue.SimpleQueue[_ReceivedRequest]") -> None:
    while True:
        waiting = [requests.get()]
        with suppress(queue.Empty):
            while True:
                waiting.append(requests.get_nowait())
        now = time.monotonic()
        timely = [each for each in waiting if each.request.deadline > now]  # no front waits for the others any more
        for place, response in batching.answers([each.request for each in timely]):
            timely[place].answer(response)


def _warm(batching: MicroBatching) -> None:
    """Import what the first odd request will need: in the background, and not in the first seconds, which are busy enough."""
    timer = threading.Timer(_WARM_AFTER_S, lambda: batching.scoring)
    timer.daemon = True
    timer.start()


def _end_with(control: Connection) -> None:
    with suppress(Exception):
        control.recv_bytes()
    os._exit(0)
