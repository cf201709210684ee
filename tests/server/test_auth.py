"""Verified passwords are not hashed again at each request, and count no longer than they are right."""

import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from slipway.server.auth import MOST, REMEMBERED_S, Remembering, create_authenticated

FIRST, SECOND = "ana-may-approve-1", "ana-may-approve-2"


class Counted:
    """A check that counts; a stored hash is the password with a word before it."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self, stored: str, password: str) -> bool:
        self.times += 1
        return stored == f"hash {password}"


def test_many_requests_hash_once_and_again_after_a_while() -> None:
    check, clock = Counted(), [0.0]
    remembering = Remembering(check, lambda: clock[0])
    assert all(remembering("hash a", "a") for _ in range(100)) and check.times == 1
    clock[0] += REMEMBERED_S + 1
    assert remembering("hash a", "a") and check.times == 2


def test_a_wrong_password_is_hashed_each_time_and_another_stored_hash_is_another_question() -> None:
    check = Counted()
    remembering = Remembering(check)
    assert remembering("hash a", "a")
    assert not any(remembering("hash a", "b") for _ in range(3)) and check.times == 4
    assert not remembering("hash b", "a") and not remembering("hash ", "aa")


def test_what_is_remembered_is_bounded_and_holds_no_password() -> None:
    remembering = Remembering(Counted())
    for i in range(MOST + 10):
        assert remembering(f"hash secret-{i}", f"secret-{i}")
    assert len(remembering._until) == MOST
    assert b"secret" not in b"".join(remembering._until)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[tuple[object, Counted]]:
    """MLflow's own store of users, as our app with auth sets it up, and how often it hashes."""
    with warnings.catch_warnings(), pytest.MonkeyPatch.context() as patch:
        warnings.simplefilter("ignore")  # MLflow's auth has some of its own
        from mlflow.server import auth
        from mlflow.server.auth import sqlalchemy_store

        really, counted = sqlalchemy_store.check_password_hash, Counted()

        def check(stored: str, password: str) -> bool:
            counted.times += 1
            return bool(really(stored, password))

        patch.setattr(sqlalchemy_store, "check_password_hash", check)
        patch.setattr(auth, "_find_validator", auth._find_validator)
        patch.setattr(auth, "create_app", lambda app: app)
        create_authenticated(Flask("here"))
        made = sqlalchemy_store.SqlAlchemyStore()
        made.init_db(f"sqlite:///{tmp_path}/auth.db")
        yield made, counted
        made.engine.dispose()


def test_a_changed_password_and_a_deleted_user_count_at_once(store: tuple) -> None:
    users, hashed = store
    users.create_user("ana", FIRST)
    assert all(users.authenticate_user("ana", FIRST) for _ in range(50)) and hashed.times == 1
    users.update_user("ana", password=SECOND)
    assert not users.authenticate_user("ana", FIRST) and users.authenticate_user("ana", SECOND)
    users.delete_user("ana")
    assert not users.authenticate_user("ana", SECOND)
    users.create_user("ana", FIRST)
    assert not users.authenticate_user("ana", SECOND) and users.authenticate_user("ana", FIRST)
