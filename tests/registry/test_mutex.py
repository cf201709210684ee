"""One transition at a time: over a real store, with holders that died, were too slow, or are somebody else's models."""

import json
import shutil
import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from slipway.errors import Refusal
from slipway.identity import process_tags
from slipway.registry import mutex
from slipway.registry.mutex import exclusive, model_names

# What MLflow's store asks of SQLAlchemy, in whichever process opens the database itself.
pytestmark = [
    pytest.mark.filterwarnings("ignore:The ``noload`` loader:sqlalchemy.exc.SADeprecationWarning"),
    pytest.mark.slow,
]

RACERS, RACES = 8, 4
LOCK = "loans.moving"
DEAD = json.dumps({"slipway.host": socket.gethostname(), "slipway.process": "999999999 1.00"})


@pytest.fixture
def client(tmp_path: Path, migrated_database: Path) -> MlflowClient:
    uri = f"sqlite:///{shutil.copy(migrated_database, tmp_path / 'mlflow.db')}"
    return MlflowClient(uri, uri)


def names(client: MlflowClient) -> set[str]:
    return {model.name for model in client.search_registered_models()}


def test_a_mutex_is_there_for_as_long_as_the_block_takes_and_is_no_model(client: MlflowClient) -> None:
    client.create_registered_model("loans")
    with exclusive(client, "loans"):
        assert names(client) == {"loans", LOCK}
        assert model_names(client) == ["loans"]
    with pytest.raises(ZeroDivisionError), exclusive(client, "loans"):
        raise ZeroDivisionError
    assert names(client) == {"loans"}


def test_whoever_waited_in_vain_is_told_who_stands_in_the_way(client: MlflowClient) -> None:
    with (
        exclusive(client, "loans"),
        pytest.raises(Refusal, match=r"loans\.moving is its mark\); nothing was moved"),
        exclusive(client, "loans", patience_s=0.2),
    ):
        raise AssertionError("two are in")
    assert names(client) == set()


def test_a_dead_holder_is_passed_over_also_one_that_died_in_removing_another(client: MlflowClient) -> None:
    client.create_registered_model(LOCK, description=DEAD)
    with exclusive(client, "loans", patience_s=5.0):
        assert names(client) == {LOCK}

    class Dying(MlflowClient):
        def delete_registered_model(self, name: str) -> None:
            raise KeyboardInterrupt

    client.create_registered_model(LOCK, description=DEAD)
    with pytest.raises(KeyboardInterrupt), exclusive(Dying(client.tracking_uri, client.tracking_uri), "loans"):
        pass
    (removal,) = names(client) - {LOCK}
    client.update_registered_model(removal, description=DEAD)  # as its process would have left it
    with exclusive(client, "loans", patience_s=5.0):
        assert names(client) == {LOCK}
    assert names(client) == set()


@pytest.mark.parametrize("held_by", ["", "not ours", "{}", json.dumps({"at": 1.0})])
def test_a_model_that_happens_to_have_the_name_is_not_removed(client: MlflowClient, held_by: str) -> None:
    client.create_registered_model(LOCK, description=held_by)
    with pytest.raises(Refusal), exclusive(client, "loans", patience_s=0.2):
        pass
    assert names(client) == {LOCK}


def test_of_another_machine_only_the_time_is_known(client: MlflowClient) -> None:
    for age_s, is_passed_over in ((10.0, False), (1000.0, True)):
        held = json.dumps({"slipway.host": "elsewhere", "slipway.process": "1 1.00", "at": time.time() - age_s})
        client.create_registered_model(LOCK, description=held)
        with ExitStack() as stack:
            if not is_passed_over:
                stack.enter_context(pytest.raises(Refusal))
            stack.enter_context(exclusive(client, "loans", patience_s=0.5))
        if not is_passed_over:
            client.delete_registered_model(LOCK)
    assert names(client) == set()


def test_a_holder_that_took_too_long_leaves_the_next_ones_mutex_alone(
    client: MlflowClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mutex, "_STALE_S", 0.4)
    others = json.dumps({**process_tags(), "at": 1.0})
    with exclusive(client, "loans"):
        client.update_registered_model(LOCK, description=others)  # taken for dead meanwhile, and followed by another
        time.sleep(0.3)
    assert client.get_registered_model(LOCK).description == others


def test_an_answer_that_got_lost_does_not_lock_out_the_one_who_asked(client: MlflowClient) -> None:
    class Repeating(MlflowClient):
        """Sends again what was done already, as MLflow's client does when a connection breaks."""

        def create_registered_model(self, name: str, **kwargs: Any) -> object:
            client.create_registered_model(name, **kwargs)
            return client.create_registered_model(name, **kwargs)

    with exclusive(Repeating(client.tracking_uri, client.tracking_uri), "loans", patience_s=0.0):
        assert names(client) == {LOCK}
    assert names(client) == set()


@pytest.mark.parametrize("failing", ["create_registered_model", "delete_registered_model"])
@pytest.mark.parametrize("is_done", [True, False])
def test_a_mutex_that_this_process_lost_in_a_failing_database_is_passed_over(
    client: MlflowClient, failing: str, is_done: bool
) -> None:
    class Failing(MlflowClient):
        """Loses the answer to one call, or the call."""

        def _fail(self, name: str, done: Callable[..., Any], **kwargs: Any) -> None:
            if is_done:
                done(name, **kwargs)
            raise MlflowException("the database went away")

        def create_registered_model(self, name: str, **kwargs: Any) -> Any:
            create = super().create_registered_model
            return self._fail(name, create, **kwargs) if failing.startswith("create") else create(name, **kwargs)

        def delete_registered_model(self, name: str) -> None:
            delete = super().delete_registered_model
            return self._fail(name, delete) if failing.startswith("delete") else delete(name)

    with suppress(MlflowException), exclusive(Failing(client.tracking_uri, client.tracking_uri), "loans"):
        pass
    with exclusive(client, "loans", patience_s=5.0):
        assert names(client) == {LOCK}
    assert names(client) == set()


# Two who find the same dead holder


class Slow(MlflowClient):
    """Looks who holds the mutex, and lets something happen before it goes by what it saw."""

    def __init__(self, uri: str, meanwhile: Callable[[], None]) -> None:
        super().__init__(uri, uri)
        self.meanwhile: Callable[[], None] | None = meanwhile

    def get_registered_model(self, name: str) -> Any:
        found = super().get_registered_model(name)
        if self.meanwhile:
            meanwhile, self.meanwhile = self.meanwhile, None
            meanwhile()
        return found


def test_the_second_to_find_a_dead_holder_does_not_remove_the_mutex_of_the_first(client: MlflowClient) -> None:
    client.create_registered_model(LOCK, description=DEAD)
    with ExitStack() as first:
        slow = Slow(client.tracking_uri, lambda: first.enter_context(exclusive(client, "loans", patience_s=5.0)))
        with pytest.raises(Refusal), exclusive(slow, "loans", patience_s=0.5):
            raise AssertionError("two are in")
        assert slow.meanwhile is None and names(client) == {LOCK}


@pytest.mark.slow
def test_of_many_that_race_for_a_dead_holders_mutex_one_is_in_at_a_time(client: MlflowClient) -> None:
    inside, together = set[int](), list[int]()

    def go_in(racer: int) -> None:
        with exclusive(client, "loans"):
            inside.add(racer)
            time.sleep(0.005)
            together.append(len(inside))
            inside.remove(racer)

    with ThreadPoolExecutor(RACERS) as pool:
        for _ in range(RACES):
            client.create_registered_model(LOCK, description=DEAD)
            list(pool.map(go_in, range(RACERS)))
            assert names(client) == set()
    assert together == [1] * RACERS * RACES
