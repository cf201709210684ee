"""Eight processes that promote different versions of a model at once, many times over, each by a judgement that stands.

What they share is a store in one SQLite file, which each of them opens by itself. With gates, models and a server between
them there are fewer rounds; see tests/end_to_end/test_ledger.py.
"""

import json
import os
import shutil
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient

from slipway.core.release.ledger import verify
from slipway.core.release.transitions import Action
from slipway.processes import child_environment
from slipway.registry.ledger import Ledger
from slipway.registry.versions import list_versions
from slipway.types import Stage, Verdict
from slipway.workflows.promotion.registrar import LocalRegistrar
from slipway.workflows.promotion.transition import moving, open_ledger, transition_of

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:The ``noload`` loader:sqlalchemy.exc.SADeprecationWarning"),
]
NAME, MOVERS = "loans", 8
ROUNDS = int(os.environ.get("SOAK_ROUNDS", "5"))  # `make soak` has a hundred
CHAMPION = MOVERS + 1

# A process a version, for all rounds: each line that comes in starts one, a list of what became of each version goes out.
CROWD = """
import json, os, sys
from mlflow import MlflowClient
from slipway.errors import PromotionRefused, Refusal
from slipway.identity import process_tags
from slipway.types import Stage
from slipway.workflows.promotion.registrar import LocalRegistrar

uri, name, movers = sys.argv[1:]

def move(registrar, version):
    try:
        registrar.promote(name, version, Stage.PRODUCTION, "")
        return "moved"
    except PromotionRefused as error:
        return "; ".join(verdict.reason for verdict in error.verdicts if not verdict.passed)
    except Refusal as error:
        return str(error)
    except Exception as error:
        return f"{type(error).__name__}: {error}"

pipes = []
for version in range(1, int(movers) + 1):
    (asks, ask), (answers, answer) = os.pipe(), os.pipe()
    if not os.fork():
        for theirs in (end for pipe in pipes for end in pipe):
            os.close(theirs)
        os.close(ask), os.close(answers)
        process_tags.cache_clear()
        registrar = LocalRegistrar(MlflowClient(uri, uri), f"mover {version}")
        sys.stdout = sys.stderr
        for _ in os.fdopen(asks):
            os.write(answer, (json.dumps(move(registrar, version)) + "\\n").encode())
        os._exit(0)
    os.close(asks), os.close(answer)
    pipes.append((ask, answers))
readers = [os.fdopen(answers) for _, answers in pipes]
for _ in sys.stdin:
    for ask, _ in pipes:
        os.write(ask, b"\\n")
    print(json.dumps([json.loads(reader.readline()) for reader in readers]), flush=True)
"""


@pytest.fixture
def client(tmp_path: Path, migrated_database: Path) -> MlflowClient:
    """A client of a store with nine versions: eight that want to be promoted, and the one that is in Production before."""
    uri = f"sqlite:///{shutil.copy(migrated_database, tmp_path / 'mlflow.db')}"
    client = MlflowClient(uri, uri)
    client.create_experiment(f"{NAME}/promotions", f"file://{tmp_path}/artifacts")
    client.create_registered_model(NAME)
    for version in range(1, CHAMPION + 1):
        client.create_model_version(NAME, f"s3://models/{version}", tags={"slipway.digest": f"digest {version}"})
    return client


@pytest.fixture
def rush(client: MlflowClient) -> Iterator[Callable[[], list[str]]]:
    """Return a function that lets all versions be promoted at once and says what became of each."""
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    command = [sys.executable, "-c", CROWD, client.tracking_uri, NAME, str(MOVERS)]
    environment = child_environment({"MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true"})
    with subprocess.Popen(command, env=environment, text=True, **pipes) as process:

        def start() -> list[str]:
            process.stdin.write("\n")
            process.stdin.flush()
            return json.loads(process.stdout.readline())

        yield start
        process.stdin.close()


def judge_all(client: MlflowClient, ledger: Ledger) -> None:
    """Put the champion into Production, and write down for each other version that it passes, compared with that one."""
    said = (Verdict("thresholds", True, "well above"),)
    with moving(client, ledger):
        for version in reversed(list_versions(client, NAME)):
            of = transition_of(client, "gates", version, Action.JUDGE, Stage.PRODUCTION, "", said, "evidence")
            ledger.write(replace(of, replaced=None if version.number == CHAMPION else CHAMPION), {})
    LocalRegistrar(client, "gates").promote(NAME, CHAMPION, Stage.PRODUCTION, "")


def in_production(client: MlflowClient) -> list[int]:
    return [version.number for version in list_versions(client, NAME) if version.stage is Stage.PRODUCTION]


def test_one_wins_each_round_and_the_others_are_told_while_one_version_is_in_production(
    client: MlflowClient, rush: Callable[[], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
    ledger, numbers, winners, over = open_ledger(client, NAME), set[int](), [], threading.Event()
    judge_all(client, ledger)

    def watch() -> None:
        while not over.wait(0.2):
            numbers.add(len(in_production(client)))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        for _ in range(ROUNDS):
            said = rush()
            (winner,) = in_production(client)
            winners.append(winner)
            assert said.pop(winner - 1) == "moved"
            stale = f"the verdict is stale: it compared with version {CHAMPION} in Production, where version {winner} is now"
            assert [each for each in said if stale not in each] == []
            assert LocalRegistrar(client, "gates").rollback(NAME, "the next round").version == CHAMPION
    finally:
        over.set()
        watcher.join()
    assert numbers == {1}
    assert len(set(winners)) > 1, "the same one always: they are not at it at once"
    entries = ledger.entries()
    assert verify(entries, {v.number: v.stage for v in list_versions(client, NAME)}, ledger.head) == []
    told = Counter(entry.transition.action.value for entry in entries)
    assert told == {"judge": CHAMPION, "promote": 1 + ROUNDS, "refuse": ROUNDS * (MOVERS - 1), "rollback": ROUNDS}
