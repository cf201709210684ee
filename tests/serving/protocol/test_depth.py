import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as some

from slipway.serving.protocol.limits import is_deeper

values = some.recursive(
    some.none() | some.integers() | some.text('[]{}"\\a', max_size=5),
    lambda inner: (
        some.lists(inner, max_size=3) | some.dictionaries(some.text('[]{}"\\', max_size=3), inner, max_size=3)
    ),
    max_leaves=20,
)


def depth(value: object) -> int:
    if isinstance(value, dict):
        return 1 + max(map(depth, value.values()), default=0)
    return 1 + max(map(depth, value), default=0) if isinstance(value, list) else 0


@given(value=values)
def test_counts_brackets_outside_of_texts(value: object) -> None:
    body, real = json.dumps(value).encode(), depth(value)
    assert not is_deeper(body, real)
    assert real == 0 or is_deeper(body, real - 1)


@given(text=some.text('[]{}"\\,', max_size=40))
def test_what_is_read_piece_by_piece_is_read_as_a_whole(text: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        whole = [is_deeper(text.encode(), most) for most in range(5)]
        patch.setattr("slipway.serving.protocol.limits._PIECE", 3)
        assert [is_deeper(text.encode(), most) for most in range(5)] == whole


@pytest.mark.parametrize("body", [b"[" * 17 + b"]" * 17, b"[" * 1_000_000, b'{"a":' * 20, b"]"])
def test_what_is_too_deep_or_not_closed(body: bytes) -> None:
    assert is_deeper(body, 16)


OBJECTS = json.dumps([{"some column": 1.5, "an\\other": "text [ {"}] * 200_000).encode()


@pytest.mark.parametrize("body", [OBJECTS, b'"' * 10**7, b'"\\"' * 3_000_000], ids=["objects", "quotes", "escapes"])
def test_ten_megabytes_take_no_long_time(body: bytes) -> None:
    began = time.perf_counter()
    assert not is_deeper(body, 2)
    assert time.perf_counter() - began < 1.0
