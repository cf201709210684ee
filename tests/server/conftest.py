"""A guarded server, with auth and without, and models that are put there past it, each with evidence of some kind."""

import configparser
import contextlib
import io
import itertools
import os
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
import requests
from mlflow import MlflowClient
from tests.helpers.sharing import SharedServer, Sharing
from tests.helpers.trained import bundle_of, write_trained

from slipway.cli import main
from slipway.core.release.transitions import Action, Transition
from slipway.identity import process_tags
from slipway.registry.ledger import Ledger, now_ms
from slipway.registry.trust import DIGEST as TAG_OF_DIGEST
from slipway.registry.versions import list_versions
from slipway.settings import Settings
from slipway.types import Stage, Verdict
from slipway.workflows.platform import down, up

with warnings.catch_warnings():
    warnings.simplefilter(
        "ignore", DeprecationWarning
    )  # MLflow's server, imported here once, has its own with SQLAlchemy
    import mlflow.server.handlers  # noqa: F401

DIGEST, EVIDENCE = "d" * 64, "e" * 64
FINE = Verdict("thresholds", True, "as it was measured")
SERVED, CANDIDATE = 1, 2
FROM_ITS_STORE = "The ``noload`` loader strategy:sqlalchemy.exc.SADeprecationWarning"


# These differ from the other kinds of evidence in what becomes of a transition.
OF_POLICY = (
    "a declaration that is weaker than the one in Production",
    "evidence that went by another release policy",
    "evidence of before the version was declared again",
    "evidence that its own author approves, of a version that a colleague registered",
)

IN_A_BROWSER = ("no evidence", "evidence that did not pass", "valid evidence, wrong role")


def everyday(cell: dict[str, Any]) -> bool:
    """Whether a cell of the attempt matrix is tried in every run; `make test-matrix` tries all of them, which takes a while.

    Ways differ in what they send, databases in what they keep: on SQLite with users each attempt is made by MLflow's client and
    a transition by each way of a program; without users and on PostgreSQL a transition by that client. In a browser, where a
    cell takes seconds, each attempt is made with evidence that is valid, and a transition with what a reviewer meets. From a
    page of another origin each attempt is made with evidence that is valid. A foreign loader is tried by transitions alone.
    What else is tried of the server is tried on SQLite.
    """
    database, users = cell.get("server", ("sqlite", False))
    if "held" not in cell:
        return bool(database == "sqlite")
    way, attempt, held = (str(cell[key]) for key in ("way", "attempt", "held"))
    if "another origin" in way:  # it is refused before anything is asked of the registry
        return database == "sqlite" and held == "valid evidence"
    if "MLflow loads otherwise" in held and attempt != "transition":
        return False
    if held in OF_POLICY and (attempt != "transition" or way == "MLflow's UI"):
        return False
    if way == "MLflow's UI":
        met = attempt == "transition" and held in IN_A_BROWSER
        return database == "sqlite" and users and (met or held == "valid evidence")
    if database == "sqlite" and users:
        return way == "client" or attempt == "transition"
    return way == "client" and attempt == "transition"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark slow what asks a server, and forgive MLflow's store what it asks of SQLAlchemy."""
    if not config.getoption("--every-cell"):
        left_out = [item for item in items if not everyday(_parameters(item))]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in set(left_out)]
    for item in items:
        if Path(__file__).parent in item.path.parents:
            if "server" in getattr(item, "fixturenames", ()):
                item.add_marker(pytest.mark.slow)
            item.add_marker(pytest.mark.filterwarnings(f"ignore:{FROM_ITS_STORE}"))


def _parameters(item: pytest.Item) -> dict[str, Any]:
    return getattr(getattr(item, "callspec", None), "params", {})


numbers = itertools.count(1)


@dataclass(frozen=True)
class Guarded:
    """A guarded server. past: a client on its database, which no server sees. users: passwords by name; empty without auth."""

    uri: str
    home: Path
    past: MlflowClient
    users: dict[str, str] = field(default_factory=dict)

    def who(self, name: str) -> tuple[str, str] | None:
        """The name and password of a user; None where nobody has to prove who he is."""
        return (name, self.users[name]) if self.users else None

    def ask(self, method: str, path: str, who: str = "pia", **more: Any) -> requests.Response:
        return requests.request(method, f"{self.uri}{path}", auth=self.who(who), timeout=60, **more)

    def client(self, who: str = "pia") -> "contextlib.AbstractContextManager[MlflowClient]":
        return self._speaking_as(self.who(who))

    def model(
        self,
        kind: str = "model",
        digest: str | None = DIGEST,
        compared_with: int | None = SERVED,
        verdict: Verdict = FINE,
        tags: Mapping[str, str] = MappingProxyType({}),
    ) -> str:
        """Make a model with version 1 in Production and version 2 with a judgement, past the server; return its name.

        Args:
            kind: what its name begins with.
            digest: of the files that were judged; None = there is no judgement.
            compared_with: the version that version 2 was compared with.
            verdict: the one verdict of the judgement.
            tags: further tags of version 2.
        """
        name = f"{kind}_{os.getpid()}_{next(numbers)}"  # other test processes may make models on this server, too
        past = self.past
        past.create_registered_model(name)
        for more in ({}, tags):
            born = {"slipway.artifact_digest": DIGEST, **more}
            past.create_model_version(name, "mlflow-artifacts:/0/none", tags=born)
        self._put_first_in_production(name, DIGEST)
        if digest:
            self._say(self.ledger(name), Action.JUDGE, CANDIDATE, digest, compared_with, (verdict,))
        return name

    def trained(self, *foreign: bool, kind: str = "trained") -> tuple[str, list[dict[str, str]]]:
        """Make a model whose versions have files, the first of them in Production, past the server.

        foreign: for each version, whether its MLmodel names a loader of its own.

        Returns its name, and the digests of each version.
        """
        name = f"{kind}_{os.getpid()}_{next(numbers)}"
        past = self.past
        past.create_registered_model(name)
        experiment = past.create_experiment(name, f"mlflow-artifacts:/{name}")
        digests = []
        for each in foreign:
            run = past.create_run(experiment).info
            folder = self.home / "artifacts" / name / run.run_id / "artifacts"
            digests.append(write_trained(folder, foreign=each))
            past.create_model_version(name, f"{run.artifact_uri}/model", run.run_id, tags=digests[-1])
        self._put_first_in_production(name, digests[0][TAG_OF_DIGEST])
        return name, digests

    def judged(
        self,
        name: str,
        version: int,
        digests: dict[str, str],
        stage: Stage,
        champion: tuple[int, dict[str, str]] | None = None,
    ) -> requests.Response:
        """Send the evidence of a version that `trained` made to the server, as a promoter."""
        bundle = bundle_of(name, version, digests, stage, champion)
        kind = {"Content-Type": "application/zip"}
        return self.ask("POST", f"/api/2.0/slipway/models/{name}/judgements", data=bundle.to_bytes(), headers=kind)

    def _put_first_in_production(self, name: str, digest: str) -> None:
        past = self.past
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            past.transition_model_version_stage(name, str(SERVED), "Production")
        past.set_registered_model_alias(name, "production", str(SERVED))
        made = past.create_experiment(f"{name}/promotions", str(self.home / "artifacts" / f"{name}-ledger"))
        self._say(Ledger(past, name, made), Action.PROMOTE, SERVED, digest, None, ())

    def ledger(self, name: str) -> Ledger:
        return Ledger(self.past, name, self.past.get_experiment_by_name(f"{name}/promotions").experiment_id)

    def state(self, name: str) -> Any:
        """All that an attempt could change."""
        versions = [(v.number, v.stage, dict(v.tags)) for v in list_versions(self.past, name)]
        aliases = self.past.get_registered_model(name).aliases
        return versions, {alias: int(version) for alias, version in aliases.items()}

    def _say(
        self, ledger: Ledger, action: Action, version: int, digest: str, replaced: int | None, verdicts: Any
    ) -> None:
        stage, at = Stage.PRODUCTION, now_ms()
        said = Transition(
            ledger.name, action, version, stage, "ben", at, replaced, "", verdicts, digest=digest, evidence=EVIDENCE
        )
        ledger.write(said, process_tags())

    @contextlib.contextmanager
    def _speaking_as(self, who: tuple[str, str] | None) -> Iterator[MlflowClient]:
        with speaking_as(who):
            yield MlflowClient(self.uri, self.uri)


@contextlib.contextmanager
def speaking_as(who: tuple[str, str] | None) -> Iterator[None]:
    """MLflow's client speaks for the user whom the environment names."""
    variables = ("MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD")
    with pytest.MonkeyPatch.context() as patch:
        for variable, value in zip(variables, who or ("", ""), strict=True):
            if value:
                patch.setenv(variable, value)
            else:
                patch.delenv(variable, raising=False)
        yield


# Each database with users and without; MLflow's client needs the driver's name, which `slipway up` finds by itself.
@pytest.fixture(
    scope="session",
    params=[("sqlite", False), ("sqlite", True), ("postgresql", False), ("postgresql", True)],
    ids=["sqlite", "sqlite with auth", "postgresql", "postgresql with auth"],
)
def server(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    shared_server: Callable[..., SharedServer],
    sharing: Sharing,
) -> Iterator[Guarded]:
    database, auth = request.param
    if database == "sqlite":
        shared = shared_server("guarded with auth" if auth else "guarded", auth=auth)
        users = sharing.once("users", lambda: make_users(shared.uri, shared.home)) if auth else {}
        store = f"sqlite:///{shared.home}/mlflow.db"
        yield Guarded(shared.uri, shared.home, MlflowClient(store, store), users)
        return
    home = tmp_path_factory.mktemp("guarded") / ".slipway"
    home.mkdir()
    backend = request.getfixturevalue("postgres")(migrated=True)
    store = backend.replace("postgresql:", "postgresql+psycopg2:", 1)
    settings = Settings(home.parent, home, backend=backend)
    uri = up(settings, port=0, auth=auth).server.uri
    try:
        yield Guarded(uri, home, MlflowClient(store, store), make_users(uri, home) if auth else {})
    finally:
        down(settings)


def make_users(uri: str, home: Path) -> dict[str, str]:
    """A promoter, an approver, an author and a reader, made as docs/team.md says."""
    told = configparser.ConfigParser()
    told.read(home / "auth.ini")
    admin = ("admin", told["mlflow"]["admin_password"])
    users = {
        "pia": ("promoter", "pia-may-promote-1"),
        "edi": ("approver", "edi-may-approve-1"),
        "ada": ("author", "ada-may-train-1"),
        "rea": ("reader", "rea-may-read-1"),
    }
    with speaking_as(admin), pytest.MonkeyPatch.context() as patch:
        for name, (role, password) in users.items():
            patch.setattr("sys.stdin", io.StringIO(f"{password}\n"))
            assert main(["--tracking-uri", uri, "user", name, role]) == 0
    return dict([admin, *((name, password) for name, (_, password) in users.items())])
