"""The login comes before everything, costs the same for every name, and cannot be guessed at."""

import asyncio
import base64
import itertools
import logging
from typing import Any

import pytest
from tests.helpers.asgi import Asked, Behind, request, run

from slipway.server.door.counts import Counts
from slipway.server.door.guesses import OF_BOTH
from slipway.server.door.login import Accounts, Login

PASSWORDS = {"ana": "ana-may-approve-1", "ben": "ben-may-approve-1"}
NOBODY = "hash of nothing"


class Hashes:
    """Passwords whose stored hash is `hash NAME PASSWORD`. times: how many were compared, and with what."""

    def __init__(self) -> None:
        self.passwords = dict(PASSWORDS)
        self.compared: list[str] = []

    def stored(self, user: str) -> str | None:
        return f"hash {user} {self.passwords[user]}" if user in self.passwords else None

    def check(self, stored: str, password: str) -> bool:
        self.compared.append(stored)
        return stored.endswith(f" {password}")

    def accounts(self) -> Accounts:
        return Accounts(self.stored, self.check, NOBODY, lambda path: path == "/health")


class Door:
    """A login with an app behind it."""

    def __init__(self) -> None:
        self.hashes = Hashes()
        self.behind = Behind()
        self.counts = Counts()
        self.login = Login(self.behind, self.hashes.accounts(), self.counts)

    async def ask(self, user: str, password: str, address: str = "10.0.0.1", **more: Any) -> Asked:
        named = base64.b64encode(f"{user}:{password}".encode()).decode()
        return await Asked(request(address=address, authorization=f"Basic {named}", **more)).by(self.login)


def big(parts: int = 400) -> Any:
    return itertools.repeat(b"x" * 2**20, parts)


@pytest.mark.parametrize(
    "said",
    [{}, {"authorization": "Bearer x"}, {"authorization": "Basic !"}, {"authorization": "Basic YQ=="},
     {"authorization": "Basic /w=="}, {"authorization": "Basic YQA6Yg=="}],
)  # fmt: skip
@pytest.mark.parametrize("length", [{"content_length": str(400 * 2**20)}, {"transfer_encoding": "chunked"}])
def test_of_a_body_without_a_user_next_to_nothing_is_read(said: dict[str, str], length: dict[str, str]) -> None:
    door = Door()
    answer = run(Asked(request(**said, **length), big()).by(door.login))
    assert answer.status == 401 and answer.headers["www-authenticate"] == 'Basic realm="mlflow"'
    assert answer.headers["connection"] == "close"
    assert answer.read <= 9 * 2**20 and door.behind.times == 0 and not door.hashes.compared


def test_a_body_that_does_not_come_is_not_waited_for() -> None:
    async def ask() -> list[Any]:
        sent: list[Any] = []

        async def never() -> Any:
            await asyncio.Event().wait()

        async def send(message: Any) -> None:
            sent.append(message)

        await Door().login(request(content_length="5"), never, send)
        return sent

    start, said, end = run(ask())
    assert start["status"] == 401 and said["more_body"] and not end["more_body"]


def test_what_everybody_may_ask_is_open_without_a_body_and_closed_with_one() -> None:
    door = Door()

    async def ask() -> list[int]:
        preflight = request("OPTIONS", access_control_request_method="POST")
        asked = (
            request("GET", "/health"),
            preflight,
            request("POST", "/health", content_length="5"),
            request("OPTIONS"),
        )
        return [(await Asked(scope).by(door.login)).status for scope in asked]

    assert run(ask()) == [200, 200, 401, 401]


def test_three_hundred_guesses_are_throttled_and_logged_and_the_right_user_gets_in(caplog: Any) -> None:
    door = Door()

    async def ask() -> list[int]:
        statuses = [(await door.ask("ana", f"guess-{i}")).status for i in range(300)]
        last = await door.ask("ana", PASSWORDS["ana"])
        assert last.status == 429 and 1 <= int(last.headers["retry-after"]) <= 60
        assert (await door.ask("ana", PASSWORDS["ana"], "10.0.0.2")).status == 200
        assert (await door.ask("ben", PASSWORDS["ben"])).status == 200
        return statuses

    with caplog.at_level(logging.WARNING):
        statuses = run(ask())
    assert statuses == [401] * OF_BOTH.free + [429] * (300 - OF_BOTH.free)
    assert len(door.hashes.compared) == OF_BOTH.free + 2
    assert [record.message for record in caplog.records] == [
        "wrong passwords for the user 'ana' from 10.0.0.1: the next is compared in 1 s"
    ]
    told = door.counts.text(None).decode()
    assert 'refused_total{reason="throttled"} 296.0' in told and "wrong_passwords_total 5.0" in told


def test_guesses_that_come_at_once_are_no_more_than_those_that_come_one_by_one() -> None:
    door = Door()

    async def ask() -> None:
        await asyncio.gather(*(door.ask("ana", f"guess-{i}") for i in range(100)))

    run(ask())
    assert len(door.hashes.compared) == OF_BOTH.free


def test_a_page_that_asks_a_hundred_things_at_once_is_hashed_once() -> None:
    door = Door()

    async def ask() -> list[Asked]:
        return await asyncio.gather(*(door.ask("ana", PASSWORDS["ana"]) for _ in range(100)))

    assert {answer.status for answer in run(ask())} == {200}
    assert len(door.hashes.compared) == 1


def test_an_unknown_user_costs_what_a_known_one_costs(caplog: Any) -> None:
    door = Door()

    async def ask(user: str) -> tuple[list[int], int]:
        before = len(door.hashes.compared)
        return [(await door.ask(user, f"guess-{i}")).status for i in range(20)], len(door.hashes.compared) - before

    with caplog.at_level(logging.WARNING):
        known = run(ask("ana"))
        door = Door()
        assert run(ask("password typed into the wrong field")) == known
    assert set(door.hashes.compared) == {NOBODY}
    assert "wrong field" not in caplog.text and "a user that there is not" in caplog.text


def test_the_password_that_nobody_has_lets_nobody_in() -> None:
    async def ask() -> int:
        return (await Door().ask("eve", "nothing")).status

    assert Hashes().check(NOBODY, "nothing")
    assert run(ask()) == 401


def test_a_program_with_an_old_password_locks_nobody_out() -> None:
    door = Door()

    async def ask() -> None:
        for _ in range(50):
            assert (await door.ask("ana", "the old one")).status == 401
        assert (await door.ask("ana", PASSWORDS["ana"])).status == 200
        door.hashes.passwords["ana"] = "the old one"  # it is the new one now
        assert (await door.ask("ana", "the old one")).status == 200

    run(ask())
    assert len(door.hashes.compared) == 3


def test_a_store_that_fails_is_no_wrong_password() -> None:
    door = Door()

    def broken(_: str) -> None:
        raise OSError("the database is away")

    door.login._accounts = Accounts(broken, door.hashes.check, NOBODY, lambda _: False)

    async def ask() -> None:
        for _ in range(20):
            with pytest.raises(OSError, match="away"):
                await door.ask("ana", PASSWORDS["ana"])

    run(ask())


def test_at_a_gateway_the_header_of_mlflow_names_the_user_and_two_users_are_none() -> None:
    door = Door()
    named = {name: "Basic " + base64.b64encode(f"{name}:{word}".encode()).decode() for name, word in PASSWORDS.items()}

    async def ask(path: str, **headers: str) -> int:
        return (await Asked(request(path=path, **headers)).by(door.login)).status

    async def everything() -> list[int]:
        beside = {"x_mlflow_authorization": named["ana"]}
        return [
            await ask("/gateway/x", **beside),
            await ask("/gateway/x", **beside, authorization="Bearer key-of-a-provider"),
            await ask("/gateway/x", **beside, authorization=named["ben"]),
            await ask("/api/gateway/x", **beside),
        ]

    assert run(everything()) == [200, 200, 401, 401]
