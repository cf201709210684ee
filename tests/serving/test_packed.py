"""A plan passes through the supervisor without being opened there."""

import pickle
from multiprocessing import Pipe

import numpy as np

from slipway.serving import wire
from slipway.serving.packed import Packed, Unpacking, packed


def passed_on(value: object) -> object:
    ours, theirs = Pipe()
    with ours, theirs:
        wire.send(ours, value)
        return wire.receive(theirs)


def test_a_packed_value_travels_closed_and_arrives_open() -> None:
    value = {"nodes": np.arange(1000.0), "names": ("a", "b")}
    closed = passed_on(packed(value))
    assert isinstance(closed, Packed)
    opened = passed_on(Unpacking(closed))
    assert opened["names"] == ("a", "b")
    np.testing.assert_array_equal(opened["nodes"], value["nodes"])


def test_its_arrays_go_beside_the_pickle() -> None:
    assert len(pickle.dumps(packed(np.zeros(10_000)).head)) < 1000
