import asyncio
import json
import math
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from slipway.core.variants import VariantRole
from slipway.serving.comparer.difference import Difference, Spread, difference
from slipway.serving.comparer.process import _Comparing
from slipway.serving.config import ServingConfig, VariantConfig
from slipway.serving.ipc.frames import MOST_BYTES, MirroredRequest, mirrored_request


def body(predictions: Any) -> bytes:
    return json.dumps({"predictions": predictions}).encode()


def test_labels_differ_or_not() -> None:
    assert difference(body(["a", "b", "c"]), body(["a", "x", "y"]), None) == Difference(3, 2)
    assert difference(body([1, 0]), body([1, 0]), None) == Difference(2, 0)


def test_probabilities_are_apart_by_half_the_sum_of_their_differences() -> None:
    found = difference(body([[0.9, 0.1], [0.4, 0.6]]), body([[0.7, 0.3], [0.6, 0.4]]), None)
    assert (found.rows, found.disagreements) == (2, 1)
    assert found.distances == pytest.approx([0.2, 0.2])
    assert difference(body([[0.9, 0.1]]), body([[0.9, 0.05, 0.05]]), None).disagreements == 1  # other classes


def test_values_disagree_from_half_a_standard_deviation_on() -> None:
    spread = Spread()
    spread.add(np.arange(100.0))  # 28.9
    found = difference(body([10.0, 10.0]), body([20.0, 60.0]), spread)
    assert (found.rows, found.disagreements, list(found.distances)) == (2, 1, [10.0, 50.0])


def test_where_all_values_are_alike_any_difference_counts_and_rounding_does_not() -> None:
    assert difference(body([5.0]), body([5.0 + 1e-12]), Spread()).disagreements == 0
    assert difference(body([5.0]), body([5.1]), Spread()).disagreements == 1


def test_a_value_that_is_no_number_agrees_with_another_such_one_alone() -> None:
    found = difference(body([math.nan, math.nan, 1.0]), body([math.nan, 1.0, math.nan]), Spread())
    assert (found.rows, found.disagreements) == (3, 2)


@pytest.mark.parametrize("spread", [None, Spread()])
@pytest.mark.parametrize(
    ("ours", "theirs", "disagreements"),
    [
        ([1.0, 2.0], [1.0], 2),
        ([{"a": 1}], [{"a": 1}], 0),
        ([{"a": 1}], [{"a": 2}], 1),
        ([[1.0], [1.0, 2.0]], [[1.0], [1.0]], 1),
        ([None], [None], 0),
        ([], [], 0),
        (3.0, 3.0, 0),
    ],
)
def test_odd_answers_are_compared_too(ours: Any, theirs: Any, disagreements: int, spread: Spread | None) -> None:
    assert difference(body(ours), body(theirs), spread).disagreements == disagreements


@given(parts=some.lists(some.lists(some.floats(-1e6, 1e6), max_size=8), max_size=8))
def test_a_spread_is_that_of_all_values_however_they_came(parts: list[list[float]]) -> None:
    spread = Spread()
    for part in parts:
        spread.add(np.array([*part, math.nan, math.inf]))
    together = [value for part in parts for value in part]
    assert spread.deviation == pytest.approx(np.std(together) if together else 0.0, rel=1e-6, abs=1e-3)


copies = some.builds(
    MirroredRequest,
    some.tuples(some.integers(0, 2**63), some.integers(0, 2**63)),
    some.floats(0, 1e6),
    some.binary(max_size=60),
    some.binary(),
    some.binary(),
)


@given(copy=copies)
def test_a_copy_arrives_as_it_was(copy: MirroredRequest) -> None:
    frame = copy.frame()
    assert int.from_bytes(frame[:4], "big") == len(frame) - 4
    assert mirrored_request(frame[4:]) == copy


def test_copies_that_wait_to_be_compared_are_bounded_in_bytes() -> None:
    large = MirroredRequest((1, 2), 0.1, b"application/json", bytes(MOST_BYTES // 4), b"{}")

    async def keep() -> int:
        config = ServingConfig(variant_config=VariantConfig(VariantRole.SHADOW, "Staging", 1.0))
        waiting: Any = _Comparing(None, None, config, None)  # type: ignore[arg-type]
        reader: Any = asyncio.StreamReader()
        reader.feed_data(large.frame() * 12)
        reader.feed_eof()
        taking = asyncio.create_task(waiting._take(reader, _Writer()))
        done, most = 0, 0
        while done < 12:
            await asyncio.sleep(0.01)
            most = max(most, waiting._copies.qsize())
            assert (await asyncio.wait_for(waiting._next(), 5)).size == large.size
            done += 1
        await taking
        return most

    with ThreadPoolExecutor(1) as apart:  # where a browser has been, this thread has a loop already
        assert apart.submit(lambda: asyncio.run(keep())).result() <= 5


class _Writer:
    def close(self) -> None:
        pass
