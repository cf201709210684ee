import multiprocessing

import numpy as np
from hypothesis import given
from hypothesis import strategies as some

from slipway.core.expectations import Find, Unexpected
from slipway.serving.ipc import channel, frames
from slipway.serving.ipc.frames import Frames, ModelRequest, ModelResponse

asks = some.builds(
    ModelRequest,
    some.integers(0, 2**64 - 1),
    some.floats(0, 1e9),
    some.text(max_size=50).filter(str.isprintable),
    some.binary(),
)
finds = some.builds(
    Find,
    some.integers(0, 99),
    some.sampled_from(Unexpected),
    some.integers(1, 99),
    some.integers(0, 99),
    some.text(max_size=9),
)
answers = some.builds(
    ModelResponse, some.integers(0, 2**64 - 1), some.integers(0, 999), some.just("application/json"), some.binary(),
    some.lists(finds, max_size=3).map(tuple),
)  # fmt: skip


@given(messages=some.lists(asks, max_size=4), cut=some.integers(1, 50))
def test_frames_arrive_whole_however_they_are_cut(messages: list[ModelRequest], cut: int) -> None:
    sent, cutter, found = b"".join(map(frames.frame, messages)), Frames(), []
    for at in range(0, len(sent), cut):
        found += [frames.ask(content) for content in cutter.feed(sent[at : at + cut])]
    assert found == messages


@given(message=answers)
def test_answers_arrive_as_they_were(message: ModelResponse) -> None:
    (content,) = Frames().feed(frames.frame(message))
    assert frames.answer(content) == message


def test_arrays_go_beside_the_message() -> None:
    ours, theirs = multiprocessing.Pipe()
    sent = {"plan": np.arange(5.0), "none": np.zeros(0), "codes": {"a": 1}}
    channel.send(ours, sent)
    found = channel.receive(theirs)
    assert found["codes"] == sent["codes"]
    assert np.array_equal(found["plan"], sent["plan"])
    assert len(found["none"]) == 0
    ours.close()
    theirs.close()
