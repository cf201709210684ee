from hypothesis import given
from hypothesis import strategies as some

from slipway.serving.front.routing import BUCKETS, bucket, lowest
from slipway.serving.http.messages import Request

HEADER = b"x-slipway-key"
callers = some.binary(min_size=1, max_size=40)


def request(peer: str = "10.0.0.1", **headers: bytes) -> Request:
    return Request(b"POST", b"", {name.replace("_", "-").encode(): value for name, value in headers.items()}, b"", peer)


@given(caller=callers, shares=some.tuples(some.floats(0, 1), some.floats(0, 1)))
def test_a_larger_share_only_takes_callers_from_the_first_version(caller: bytes, shares: tuple[float, float]) -> None:
    number = bucket(request(x_slipway_key=caller), HEADER)
    assert 0 <= number < BUCKETS
    smaller, larger = sorted(shares)
    assert not (number < lowest(smaller) and number >= lowest(larger))


@given(caller=callers, peers=some.tuples(some.text(), some.text()))
def test_a_caller_is_the_same_one_from_everywhere(caller: bytes, peers: tuple[str, str]) -> None:
    assert len({bucket(request(peer, x_slipway_key=caller), HEADER) for peer in peers}) == 1


def test_a_caller_is_known_by_the_header_else_by_the_key_else_by_the_address() -> None:
    by_header = bucket(request(x_slipway_key=b"mara", x_api_key=b"k"), HEADER)
    assert by_header == bucket(request("10.9.9.9", x_slipway_key=b"mara"), HEADER)
    by_key = bucket(request(x_api_key=b"k"), HEADER)
    assert by_key == bucket(request("10.9.9.9", authorization=b"Bearer k"), HEADER)
    by_peer = bucket(request("10.0.0.1"), HEADER)
    assert by_peer == bucket(request("10.0.0.1", content_type=b"text/csv"), HEADER)
    assert len({by_header, by_key, by_peer}) == 3
    assert bucket(request(x_user=b"mara"), b"x-user") == by_header


def test_numbers_of_callers_do_not_change_with_a_release() -> None:
    assert [bucket(request(x_slipway_key=each), HEADER) for each in (b"a", b"b", b"caller 1")] == [3343, 9333, 6202]


def test_shares_are_kept_to() -> None:
    numbers = [bucket(request(f"10.0.{n // 250}.{n % 250}"), HEADER) for n in range(20_000)]
    for share in (0.01, 0.05, 0.5):
        found = sum(number < lowest(share) for number in numbers) / len(numbers)
        assert abs(found - share) < 5 * (share * (1 - share) / len(numbers)) ** 0.5
    assert (lowest(0.0), lowest(1.0)) == (0, BUCKETS)
