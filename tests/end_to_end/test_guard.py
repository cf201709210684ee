"""The attempt matrix: who tries what, by which way, on which evidence, and what becomes of it on a guarded server."""

import configparser
import io
import itertools
import shutil
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest
import requests
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from slipway.cli import main
from slipway.core.ledger import verify
from slipway.core.movements import Action, Movement
from slipway.identity import process_tags
from slipway.registry.ledger import Ledger, now_ms
from slipway.registry.versions import list_versions
from slipway.settings import Settings
from slipway.types import Stage, Verdict
from slipway.workflows.platform import down, up

DIGEST, OTHER, EVIDENCE = "d" * 64, "0" * 64, "e" * 64
SERVED, CANDIDATE = 1, 2


class Way(StrEnum):
    CLIENT = "client"
    API = "/api"
    AJAX = "/ajax-api"


class Attempt(StrEnum):
    TRANSITION = "transition"
    ALIAS = "alias"
    TAG_SET = "tag set"
    TAG_DELETE = "tag delete"
    DELETE_SERVED = "delete served version"
    OWN_ALIAS = "alias of one's own"
    OWN_TAG = "tag of one's own"
    DELETE_CANDIDATE = "delete version never served"


class Held(StrEnum):
    """What is written down of the candidate, and who tries."""

    NONE = "no evidence"
    STALE = "stale evidence"
    OTHER = "evidence of another digest"
    FAILED = "evidence that did not pass"
    VALID = "valid evidence"
    WRONG_ROLE = "valid evidence, wrong role"


def passes(attempt: Attempt, held: Held) -> bool:
    """All that is expected."""
    return {
        Attempt.TRANSITION: held is Held.VALID,
        Attempt.OWN_ALIAS: True,
        Attempt.OWN_TAG: True,
        Attempt.DELETE_CANDIDATE: held is not Held.WRONG_ROLE,
    }.get(attempt, False)


@dataclass(frozen=True)
class Guarded:
    """A guarded server. past: a client on its database, which no server sees. users: passwords by name; empty without auth."""

    uri: str
    home: Path
    past: MlflowClient
    users: dict[str, str]

    def who(self, held: Held) -> tuple[str, str] | None:
        """The name and password of who tries."""
        if not self.users:
            return None
        name = "edi" if held is Held.WRONG_ROLE else "pia"
        return name, self.users[name]


@pytest.fixture(scope="module")
def database(request: pytest.FixtureRequest) -> str:
    return "sqlite"


@pytest.fixture(scope="module", params=["open", "with auth"])
def server(
    request: pytest.FixtureRequest, database: str, tmp_path_factory: pytest.TempPathFactory, migrated_database: Path
) -> Iterator[Guarded]:
    auth = request.param == "with auth"
    home = tmp_path_factory.mktemp("guarded") / ".slipway"
    home.mkdir()
    shutil.copy(migrated_database, home / "mlflow.db")
    settings = Settings(home.parent, home)
    uri = up(settings, port=0, auth=auth).server.uri
    store = f"sqlite:///{home}/mlflow.db"
    try:
        yield Guarded(uri, home, MlflowClient(store, store), make_users(uri, home) if auth else {})
    finally:
        down(settings)


def make_users(uri: str, home: Path) -> dict[str, str]:
    """A promoter and an approver, made as docs/promotion.md says."""
    told = configparser.ConfigParser()
    told.read(home / "auth.ini")
    users = {"pia": ("promoter", "pia-may-promote-1"), "edi": ("approver", "edi-may-approve-1")}
    with as_user(("admin", told["mlflow"]["admin_password"])), pytest.MonkeyPatch.context() as patch:
        for name, (role, password) in users.items():
            patch.setattr("sys.stdin", io.StringIO(password + "\n"))
            assert main(["--tracking-uri", uri, "user", name, role]) == 0
    return {name: password for name, (_, password) in users.items()}


def as_user(who: tuple[str, str] | None) -> Any:
    """MLflow's client speaks for the user whom the environment names."""
    patch = pytest.MonkeyPatch()
    for variable, value in zip(("MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD"), who or ("", ""), strict=True):
        patch.setenv(variable, value) if value else patch.delenv(variable, raising=False)

    class Block:
        def __enter__(self) -> None: ...
        def __exit__(self, *_: object) -> None:
            patch.undo()

    return Block()


numbers = itertools.count(1)


def prepare(server: Guarded, held: Held) -> str:
    """A model with version 1 in Production and version 2 with such evidence, put there past the server."""
    name = f"model_{next(numbers)}"
    past = server.past
    past.create_registered_model(name)
    for _ in (SERVED, CANDIDATE):
        past.create_model_version(name, "mlflow-artifacts:/0/none", tags={"slipway.artifact_digest": DIGEST})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        past.transition_model_version_stage(name, str(SERVED), "Production")
    past.set_registered_model_alias(name, "production", str(SERVED))
    ledger = Ledger(past, name, past.create_experiment(f"{name}/promotions", str(server.home / "artifacts" / name)))
    say(ledger, Action.PROMOTE, SERVED, DIGEST, None)
    if held is not Held.NONE:
        digest = OTHER if held is Held.OTHER else DIGEST
        compared = None if held is Held.STALE else SERVED
        say(ledger, Action.JUDGE, CANDIDATE, digest, compared, passed=held is not Held.FAILED)
    return name


def say(
    ledger: Ledger, action: Action, version: int, digest: str, replaced: int | None, *, passed: bool = True
) -> None:
    verdicts = (Verdict("thresholds", passed, "as it was measured"),) if action is Action.JUDGE else ()
    said = Movement(
        ledger.name, action, version, Stage.PRODUCTION, "ben", now_ms(), replaced, "", verdicts, True, digest, EVIDENCE
    )
    ledger.write(said, process_tags())


def state(server: Guarded, name: str) -> Any:
    """All that an attempt could change."""
    versions = [(v.number, v.stage, dict(v.tags)) for v in list_versions(server.past, name)]
    aliases = server.past.get_registered_model(name).aliases
    return versions, {alias: int(version) for alias, version in aliases.items()}


# name and what to send: method, path, body.
def asked(attempt: Attempt, name: str) -> tuple[str, str, dict[str, Any]]:
    candidate = {"name": name, "version": str(CANDIDATE)}
    return {
        Attempt.TRANSITION: (
            *("POST", "model-versions/transition-stage"),
            {**candidate, "stage": "Production", "archive_existing_versions": True},
        ),
        Attempt.ALIAS: ("POST", "registered-models/alias", {**candidate, "alias": "production"}),
        Attempt.TAG_SET: (
            "POST",
            "model-versions/set-tag",
            {**candidate, "key": "slipway.artifact_digest", "value": "1"},
        ),
        Attempt.TAG_DELETE: ("DELETE", "model-versions/delete-tag", {**candidate, "key": "slipway.artifact_digest"}),
        Attempt.DELETE_SERVED: ("DELETE", "model-versions/delete", {"name": name, "version": str(SERVED)}),
        Attempt.OWN_ALIAS: ("POST", "registered-models/alias", {**candidate, "alias": "blue"}),
        Attempt.OWN_TAG: ("POST", "model-versions/set-tag", {**candidate, "key": "mine", "value": "1"}),
        Attempt.DELETE_CANDIDATE: ("DELETE", "model-versions/delete", candidate),
    }[attempt]


def by_client(client: MlflowClient, attempt: Attempt, name: str) -> None:
    candidate = str(CANDIDATE)
    if attempt is Attempt.TRANSITION:
        client.transition_model_version_stage(name, candidate, "Production", archive_existing_versions=True)
    elif attempt in (Attempt.ALIAS, Attempt.OWN_ALIAS):
        client.set_registered_model_alias(name, "production" if attempt is Attempt.ALIAS else "blue", candidate)
    elif attempt is Attempt.TAG_SET:
        client.set_model_version_tag(name, candidate, "slipway.artifact_digest", "1")
    elif attempt is Attempt.OWN_TAG:
        client.set_model_version_tag(name, candidate, "mine", "1")
    elif attempt is Attempt.TAG_DELETE:
        client.delete_model_version_tag(name, candidate, "slipway.artifact_digest")
    else:
        client.delete_model_version(name, str(SERVED) if attempt is Attempt.DELETE_SERVED else candidate)


def try_it(server: Guarded, way: Way, attempt: Attempt, held: Held, name: str) -> bool:
    """Make an attempt and return whether it was let through; anything but a plain yes or a reasoned no is an error."""
    if way is Way.CLIENT:
        with as_user(server.who(held)), warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            try:
                by_client(MlflowClient(server.uri, server.uri), attempt, name)
            except MlflowException as error:
                assert "403" in str(error) or error.error_code == "PERMISSION_DENIED", error
                return False
            return True
    method, path, body = asked(attempt, name)
    url = f"{server.uri}{way}/2.0/mlflow/{path}"
    answer = requests.request(method, url, json=body, auth=server.who(held), timeout=60)
    assert answer.status_code in (200, 403), answer.text
    if answer.status_code == 403 and not answer.text.startswith("Permission denied"):  # MLflow's auth says no more
        assert answer.json()["error_code"] == "PERMISSION_DENIED"
        assert len(answer.json()["message"]) > 40
    return answer.status_code == 200


@pytest.mark.parametrize("held", Held)
@pytest.mark.parametrize("attempt", Attempt)
@pytest.mark.parametrize("way", Way)
def test_what_gets_through_is_what_the_evidence_and_the_role_allow(
    server: Guarded, way: Way, attempt: Attempt, held: Held
) -> None:
    if held is Held.WRONG_ROLE and not server.users:
        pytest.skip("without auth there are no roles")
    name = prepare(server, held)
    before = state(server, name)
    through = try_it(server, way, attempt, held, name)
    assert through is passes(attempt, held)
    after = state(server, name)
    assert (after != before) is through
    if attempt is Attempt.TRANSITION and through:
        assert [(number, stage) for number, stage, _ in after[0]] == [(2, "Production"), (1, "Archived")]
        assert after[1] == {"production": CANDIDATE}
        experiment = server.past.get_experiment_by_name(f"{name}/promotions").experiment_id
        ledger = Ledger(server.past, name, experiment)
        stages = {number: stage for number, stage, _ in after[0]}
        assert verify(ledger.entries(), stages, ledger.head) == []
        newest = ledger.movements()[-1]
        assert newest.action is Action.PROMOTE and newest.by == ((server.users and "pia") or "unknown")
