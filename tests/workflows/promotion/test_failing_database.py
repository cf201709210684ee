"""A database that fails in the middle of a transition, whose process lives on: the next transition ends the first one."""

import os
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from tests.helpers.failing_database import Cut, FailingDatabase

from slipway.core.release.ledger import verify
from slipway.core.release.transitions import Action
from slipway.registry.mutex import is_mutex
from slipway.registry.stages import holder
from slipway.registry.versions import get_version, list_versions
from slipway.types import Stage
from slipway.workflows.promotion.registrar import LocalRegistrar
from slipway.workflows.promotion.transition import make, moving, open_ledger, transition_of

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:The ``noload`` loader:sqlalchemy.exc.SADeprecationWarning"),
]
NAME = "loans"
ROUNDS = max(1, int(os.environ.get("SOAK_ROUNDS", "10")) // 10)  # `make soak` has ten
# Patience is 60 s: a wait for a transition that nobody makes would take as long.
IN_TIME_S = 30.0


@pytest.fixture
def database(postgres: Any) -> Iterator[tuple[FailingDatabase, str]]:
    """A database that can be told to fail, and its address."""
    uri = postgres(migrated=True)
    failing = FailingDatabase(postgres.port)
    there = uri.replace(f":{postgres.port}/", f":{failing.port}/").replace("postgresql:", "postgresql+psycopg2:")
    yield failing, f"{there}?sslmode=disable&gssencmode=disable"
    failing.close()


@pytest.fixture
def client(database: tuple[FailingDatabase, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MlflowClient:
    """A client of a store with two versions, the first of them in Production."""
    monkeypatch.setenv("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
    client = MlflowClient(database[1], database[1])
    client.create_experiment(f"{NAME}/promotions", f"file://{tmp_path}/artifacts")
    client.create_registered_model(NAME)
    for version in (1, 2):
        client.create_model_version(NAME, f"s3://models/{version}", tags={"slipway.digest": f"digest {version}"})
    to_production(client, 1)
    return client


def to_production(client: MlflowClient, number: int) -> None:
    ledger = open_ledger(client, NAME)
    with moving(client, ledger):
        wanted = get_version(client, NAME, number)
        make(client, ledger, transition_of(client, "ann", wanted, Action.PROMOTE, Stage.PRODUCTION, "why"))


def live(client: MlflowClient) -> int:
    held = holder(client, NAME, Stage.PRODUCTION)
    assert held is not None
    return int(held.version)


def adds_up(client: MlflowClient) -> None:
    """One version is in Production, its alias says so, the ledger too, and nobody stands in the way of anybody."""
    ledger, versions = open_ledger(client, NAME), list_versions(client, NAME)
    assert verify(ledger.entries(), {version.number: version.stage for version in versions}, ledger.head) == []
    aliases = client.get_registered_model(NAME).aliases
    assert {alias: int(version) for alias, version in aliases.items()} == {"production": live(client)}
    assert [model.name for model in client.search_registered_models() if is_mutex(model.name)] == []


def test_killed_at_any_commit_of_a_transition_the_next_one_goes_on(
    client: MlflowClient, database: tuple[FailingDatabase, str]
) -> None:
    failing, registrar = database[0], LocalRegistrar(client, "ann")
    failing.fail(0, Cut.BEFORE)  # never: they are counted
    to_production(client, 2)
    commits = failing.commits
    assert commits > 8
    for turn in range(ROUNDS):
        for nth in range(1, commits + 1):
            cut = list(Cut)[(turn + nth) % 2]
            failing.fail(nth, cut)
            with suppress(MlflowException):
                to_production(client, 3 - live(client))
            assert failing.failed
            failing.restart()
            started = time.monotonic()
            registrar.reconcile(NAME)
            assert time.monotonic() - started < IN_TIME_S, f"it waited for nobody ({cut} commit {nth})"
            adds_up(client)
