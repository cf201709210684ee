"""Password guesses wait, and the right user as little as can be."""

from slipway.server.door.guesses import FORGET_S, OF_BOTH, OF_USER, Guesses


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def guess(guesses: Guesses, user: str, address: str, password: str = "x") -> bool:
    """Guess wrong, and return whether the guess was compared."""
    if guesses.wait_s(user, address):
        return False
    guesses.begin(user, address)
    guesses.wrong(user, address, password.encode())
    return True


def test_the_wait_doubles_up_to_a_minute_and_is_forgotten() -> None:
    clock = Clock()
    guesses, waits = Guesses(clock), []
    for _ in range(OF_BOTH.free + 8):
        assert guess(guesses, "ana", "10.0.0.1")
        waits.append(guesses.wait_s("ana", "10.0.0.1"))
        assert not waits[-1] or not guess(guesses, "ana", "10.0.0.1")
        clock.now += waits[-1]
    assert waits == [0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60]
    clock.now += FORGET_S
    assert guesses.wait_s("ana", "10.0.0.1") == 0 and guess(guesses, "ana", "10.0.0.1")
    assert guesses.wait_s("ana", "10.0.0.1") == 0


def test_others_and_other_addresses_do_not_wait_for_one() -> None:
    guesses = Guesses(Clock())
    for _ in range(100):
        guess(guesses, "ana", "10.0.0.1")
    assert guesses.wait_s("ana", "10.0.0.1")
    assert not guesses.wait_s("ana", "10.0.0.2") and not guesses.wait_s("ben", "10.0.0.1")


def test_an_address_that_tries_many_names_waits_but_not_the_user_who_logged_in_there() -> None:
    guesses = Guesses(Clock())
    guesses.begin("ben", "10.0.0.1")
    guesses.right("ben", "10.0.0.1")
    compared = sum(guess(guesses, f"user {i}", "10.0.0.1") for i in range(1000))
    assert compared == 20
    assert guesses.wait_s("ana", "10.0.0.1") and not guesses.wait_s("ben", "10.0.0.1")


def test_a_name_that_many_addresses_try_waits_a_little_but_not_the_user_where_he_is_known() -> None:
    guesses = Guesses(Clock())
    guesses.begin("ana", "10.1.0.1")
    guesses.right("ana", "10.1.0.1")
    assert sum(guess(guesses, "ana", f"10.0.{i // 250}.{i % 250}") for i in range(2000)) == OF_USER.free
    assert 0 < guesses.wait_s("ana", "10.2.0.1") <= OF_USER.most_s
    assert not guesses.wait_s("ana", "10.1.0.1")


def test_many_at_once_gain_nothing_and_a_right_one_is_not_counted() -> None:
    guesses, begun = Guesses(Clock()), 0
    while not guesses.wait_s("ana", "10.0.0.1"):
        guesses.begin("ana", "10.0.0.1")
        begun += 1
    assert begun == OF_BOTH.free
    guesses.right("ana", "10.0.0.1")
    assert not guesses.wait_s("ana", "10.0.0.1")
    for _ in range(1000):
        guesses.begin("ben", "10.0.0.1")
        guesses.right("ben", "10.0.0.1")
    assert not guesses.wait_s("ben", "10.0.0.1") and not guesses.wait_s("eve", "10.0.0.1")


def test_the_addresses_of_one_ipv6_network_count_as_one() -> None:
    guesses = Guesses(Clock())
    compared = sum(guess(guesses, "ana", f"2001:db8:0:1::{i:x}") for i in range(1, 100))
    assert compared == OF_BOTH.free
    assert not guesses.wait_s("ana", "2001:db8:0:2::1") and not guesses.wait_s("ana", "not an address")
    assert guesses.wait_s("ana", "2001:db8:0:1::ffff%eth0")


def test_what_is_remembered_is_bounded_and_holds_no_name() -> None:
    guesses = Guesses(Clock(), most=100)
    for i in range(1000):
        address = f"10.{i // 62500}.{i // 250 % 250}.{i % 250}"
        guess(guesses, f"secret {i}", address)
        guesses.begin(f"known {i}", address)
        guesses.right(f"known {i}", address)
    assert len(guesses) <= 200
    assert b"secret" not in b"".join(guesses._counts)
