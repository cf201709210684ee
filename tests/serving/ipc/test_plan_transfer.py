"""A plan passes through the supervisor without being opened there."""

import pickle
from collections.abc import Callable
from multiprocessing import Pipe
from typing import Any

import numpy as np

from slipway.plans import Compiled, stored
from slipway.serving.ipc import channel
from slipway.serving.ipc.plan_transfer import PackedPlan, PlanInTransit


def passed_on(value: object) -> Any:
    ours, theirs = Pipe()
    with ours, theirs:
        channel.send(ours, value)
        return channel.receive(theirs)


def test_a_packed_plan_travels_closed_and_arrives_open(served: Callable[[str], Any]) -> None:
    plan = served("binary").generation.plan
    closed = passed_on(PackedPlan(stored(plan)))
    assert isinstance(closed, PackedPlan)
    opened = passed_on(PlanInTransit(closed))
    assert isinstance(opened, Compiled)
    encoded = plan.encode([[1.5, None, 2, True, "AA", "a"], [99.0, 0.5, 0, False, None, "b"]])
    np.testing.assert_array_equal(opened.predict_proba(encoded), plan.predict_proba(encoded))


def test_it_goes_beside_the_pickle() -> None:
    packed = PackedPlan(bytearray(100_000))
    buffers: list[pickle.PickleBuffer] = []
    assert len(pickle.dumps(packed, protocol=5, buffer_callback=buffers.append)) < 1000
    assert len(buffers) == 1
