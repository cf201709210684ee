"""The build context of `slipway image`: read as Docker reads it, and its steps run here, without Docker, as who is not root."""

import json
import os
import platform
import pwd
import re
import shlex
import shutil
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import mlflow
import pandas as pd
import pytest
from tests.helpers.commands import read_json

from slipway.core.release.lock import pins
from slipway.processes import child_environment
from slipway.registry.trust import artifact_digest

if TYPE_CHECKING:
    from conftest import Library

ROOT = Path(__file__).parents[2]
ROWS = [
    {"branch": "hill", "genre": "saga", "pages": 812, "age": 17, "late_before": 4, "student": True},
    {"branch": "elsewhere", "genre": "crime", "pages": 90, "age": None, "late_before": 0, "student": False},
]
NAME = "late_loans"


@pytest.fixture(scope="module")
def context(library: "Library", tmp_path_factory: pytest.TempPathFactory) -> Path:
    version = library.in_production(NAME)
    folder = tmp_path_factory.mktemp("images") / "image"
    mask = os.umask(0o077)  # of somebody who lets nobody read what he writes
    try:
        said = library.done("image", NAME, "--output", folder)
    finally:
        os.umask(mask)
    assert (said["version"], said["folder"], said["tag"]) == (version, str(folder), f"late-loans:{version}")
    return folder


def steps(context: Path) -> list[tuple[str, str]]:
    """The instructions of the Dockerfile, each with what stands behind it."""
    text = (context / "Dockerfile").read_text()
    text = re.sub(r"\\\n", " ", re.sub(r"^#.*\n", "", text, flags=re.MULTILINE))
    return [(word, rest.strip()) for word, _, rest in (line.partition(" ") for line in text.splitlines() if line)]


def of(context: Path, instruction: str) -> list[str]:
    return [rest for word, rest in steps(context) if word == instruction]


def test_the_context_holds_all_that_its_dockerfile_copies_and_nothing_that_only_its_writer_may_read(
    context: Path,
) -> None:
    for copied in of(context, "COPY"):
        *sources, _ = copied.split()
        assert all(list(context.glob(source)) for source in sources), copied
    assert {path.stat().st_mode & 0o777 for path in context.rglob("*") if path.is_file()} == {0o644}
    assert {path.stat().st_mode & 0o777 for path in (context, *context.rglob("*")) if path.is_dir()} == {0o755}
    assert not list(context.rglob("__pycache__"))
    assert (context / "slipway/__init__.py").read_text() == (ROOT / "src/slipway/__init__.py").read_text()
    assert [path.name for path in context.parent.iterdir()] == ["image"]


def test_the_image_is_of_the_models_python_and_who_answers_is_not_root(context: Path) -> None:
    assert of(context, "FROM") == [f"python:{platform.python_version()}-slim"]
    *_, user = of(context, "USER")
    assert int(user.split(":")[0]) > 0 and f"--uid {user.split(':')[0]} " in of(context, "RUN")[0]
    words = [word for word, _ in steps(context)]
    assert words.index("USER") < words.index("ENTRYPOINT")
    assert of(context, "STOPSIGNAL") == ["SIGTERM"] and of(context, "EXPOSE") == ["5001"]


def test_packages_are_those_of_the_training_with_their_hashes_whatever_the_project_has_by_now(
    library: "Library", context: Path, tmp_path: Path
) -> None:
    lock = library.project / "requirements.lock"
    trained_with = lock.read_bytes()
    try:
        lock.write_text("scikit-learn==1.9.1\n")
        library.done("image", NAME, "--output", tmp_path / "image")
    finally:
        lock.write_bytes(trained_with)
    assert (tmp_path / "image/requirements.lock").read_bytes() == trained_with
    installs = [step for step in of(context, "RUN") if "pip install" in step]
    assert len(installs) == 2 and all("--require-hashes" in step for step in installs)
    # What comes as source only is built with what is locked too, not with what the day brings.
    assert "--no-build-isolation" in installs[1]
    assert [pin.name for pin in pins((context / "requirements-build.lock").read_text())] == ["setuptools"]


def test_a_lock_that_pip_would_refuse_is_refused_and_another_that_would_do_can_be_named(
    library: "Library", tmp_path: Path
) -> None:
    version, lock = library.in_production(NAME), tmp_path / "ours.lock"
    lock.write_text("scikit-learn==1.9.1\n")
    refused = library.slipway("image", NAME, "--output", tmp_path / "image", "--lock", lock)
    assert refused.code == 1
    assert "without hashes are scikit-learn" in refused.err and "it does not pin boto3, " in refused.err
    assert [path.name for path in tmp_path.iterdir()] == ["ours.lock"]
    lock.write_text((ROOT / "requirements.lock").read_text() + "# as of today\n")
    said = library.done("image", NAME, "--output", tmp_path / "image", "--lock", lock)
    assert (said["version"], said["lock"]) == (version, "ours.lock, given by --lock")
    assert f'slipway.version="{version}"' in (tmp_path / "image/Dockerfile").read_text()


def test_a_library_of_the_pipeline_that_the_lock_does_not_pin_is_named_and_no_image_is_written(
    library: "Library", tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    about = tmp_path / "site" / "made_up_scaling-4.7.0.dist-info"
    about.mkdir(parents=True)
    (about.parent / "made_up_scaling.py").write_text("def twice(rows):\n    return 2 * rows\n")
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: made-up-scaling\nVersion: 4.7.0\n")
    (about / "RECORD").write_text("made_up_scaling.py,,\n")
    monkeypatch.syspath_prepend(about.parent)
    trusted = (
        "  trusted_types: [features.per_page]\n",
        "  trusted_types: [features.per_page, made_up_scaling.twice]\n",
    )
    name = library.vary("own_pipeline", "other_library", trusted)
    features = library.spec(name).with_name("features.py")
    code = features.read_text().replace(
        "StandardScaler(),", "StandardScaler(), FunctionTransformer(made_up_scaling.twice),"
    )
    features.write_text(f"import made_up_scaling\n{code}")
    version = library.done("run", name, "--trials", 1, "--executor", "serial")["version"]
    pinned = Path(library.client.download_artifacts(library.runs(name, "search")[0].info.run_id, "requirements.lock"))
    assert "made-up-scaling" not in pinned.read_text()

    refused = library.slipway("image", name, "--version", version, "--output", tmp_path / "image")
    assert refused.code == 1 and "it does not pin made-up-scaling" in refused.err
    assert "uv pip compile --generate-hashes" in refused.err and not (tmp_path / "image").exists()
    lock = tmp_path / "with_it.lock"
    lock.write_text(f"{pinned.read_text()}\nmade-up-scaling==4.7.0 --hash=sha256:{'0' * 64}\n")
    said = library.done("image", name, "--version", version, "--output", tmp_path / "image", "--lock", lock)
    model = Path(said["folder"]) / "served/model"
    assert "made-up-scaling==4.7.0" in (model / "requirements.txt").read_text().splitlines()


def test_an_older_context_is_replaced_and_what_is_somebodys_own_is_left_alone(
    library: "Library", context: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "image"
    shutil.copytree(context, folder)
    (folder / "served/model/MLmodel").write_text("old")
    library.done("image", NAME, "--output", folder)
    assert (folder / "served/model/MLmodel").read_text() != "old"
    (folder / "notes.txt").write_text("mine")
    refused = library.slipway("image", NAME, "--output", folder)
    assert refused.code == 3 and "holds what is of no image: notes.txt" in refused.err
    assert (folder / "notes.txt").read_text() == "mine"
    (tmp_path / "src").mkdir()
    (tmp_path / "src/Dockerfile").write_text("FROM scratch\n")
    assert library.slipway("image", NAME, "--output", tmp_path / "src").code == 3
    assert sorted(path.name for path in tmp_path.iterdir()) == ["image", "src"]


class Container:
    """The context as its image would have it, in folders of this machine, run by a user who may only read it."""

    def __init__(self, context: Path, folder: Path) -> None:
        self.root, self.home = folder / "opt", folder / "home"
        self.root.mkdir()
        self.home.mkdir()
        for copied in of(context, "COPY"):
            for source in (found for name in copied.split()[:-1] for found in context.glob(name)):
                copy = shutil.copytree if source.is_dir() else shutil.copy
                copy(source, self.root / source.name)
        self.context = context
        if self.alien:
            os.chown(self.home, self.alien.pw_uid, self.alien.pw_gid)

    @property
    def alien(self) -> pwd.struct_passwd | None:
        return pwd.getpwnam("nobody") if os.geteuid() == 0 and shutil.which("setpriv") else None

    def command(self, words: list[str]) -> list[str]:
        """The words with this interpreter; as nobody, who may read all here, as if it were in the image, and write nothing."""
        mine = [sys.executable if word == "python" else word for word in words]
        if self.alien is None:
            return mine
        read = ("--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search", "--clear-groups")
        return ["setpriv", f"--reuid={self.alien.pw_uid}", f"--regid={self.alien.pw_gid}", *read, *mine]

    @property
    def environment(self) -> dict[str, str]:
        given = dict(pair.split("=", 1) for line in of(self.context, "ENV") for pair in shlex.split(line))
        mapped = {
            key: value.replace("/opt/slipway", str(self.root)).replace("/var/lib/slipway", str(self.home))
            for key, value in given.items()
        }
        return child_environment(
            mapped | {"HOME": str(self.home)}, without=("MLFLOW_", "SLIPWAY_", "PYTEST_", "PYTHON")
        )

    def run(self, words: list[str]) -> str:
        done = subprocess.run(
            self.command(words), cwd=self.root, env=self.environment, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    @contextmanager
    def started(self, *more: str) -> Iterator[subprocess.Popen[str]]:
        """What the container runs, with more words behind it; its log is HOME/log."""
        words = [*json.loads(of(self.context, "ENTRYPOINT")[0]), *json.loads(of(self.context, "CMD")[0]), *more]
        with (self.home / "log").open("a") as log:
            if self.alien:
                os.fchown(log.fileno(), self.alien.pw_uid, self.alien.pw_gid)  # as a container's stderr is its user's
            process = subprocess.Popen(
                self.command(words), cwd=self.root, env=self.environment, stdout=subprocess.PIPE, stderr=log, text=True
            )
        with process:
            try:
                yield process
            finally:
                process.kill()

    def log(self) -> str:
        return (self.home / "log").read_text()


@pytest.fixture(scope="module")
def container(context: Path, tmp_path_factory: pytest.TempPathFactory) -> Container:
    """One that is built: its steps that need no network were run."""
    made = Container(context, tmp_path_factory.mktemp("container"))
    (warm,) = (json.loads(step) for step in of(context, "RUN") if step.startswith("[") and "warm" in step)
    made.run(warm)
    return made


def ask(url: str, body: str | None = None, kind: str = "application/json") -> Any:
    request = urllib.request.Request(url, body.encode() if body else None, {"Content-Type": kind})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.loads(answer.read())


def cached(container: Container) -> set[Path]:
    return {path for path in (container.home / "numba").rglob("*") if path.is_file()}


def test_the_container_answers_as_the_model_without_a_registry_and_ends_when_it_is_told(
    library: "Library", container: Container
) -> None:
    assert container.run(["python", "-c", "import slipway; print(slipway.__file__)"]).startswith(str(container.root))
    warmed = cached(container)
    assert len(warmed) >= 8
    with container.started("--port", "0", "--json") as process:
        said = read_json(process, container.log)
        (probe,) = (rest for rest in of(container.context, "HEALTHCHECK"))
        health = json.loads(probe[probe.index("CMD") + 3 :])
        container.run([word.replace("127.0.0.1:5001", said["url"].removeprefix("http://")) for word in health])
        assert ask(f"{said['url']}/ready")["models"][NAME]["compiled"]
        model = mlflow.sklearn.load_model(f"models:/{NAME}/{library.in_production(NAME)}")
        predicted = model.predict(pd.DataFrame(ROWS)).tolist()
        assert ask(f"{said['url']}/invocations", json.dumps({"dataframe_records": ROWS})) == {"predictions": predicted}
        table = pd.DataFrame(ROWS).to_csv(index=False)  # which is for MLflow's own code, in a process with the model
        assert ask(f"{said['url']}/invocations", table, "text/csv") == {"predictions": predicted}
        process.send_signal(signal.SIGTERM)
        assert process.wait(120) == 0
    assert re.search(f"{NAME} version [0-9]+ takes over", container.log())
    assert cached(container) == warmed


def test_a_changed_byte_of_the_model_is_not_served(container: Container) -> None:
    file = max((container.root / "served/model").iterdir(), key=lambda path: path.stat().st_size)
    whole = file.read_bytes()
    said = json.loads((container.root / "served/version.json").read_text())
    assert artifact_digest(container.root / "served/model") == said["digest"]
    try:
        file.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
        with container.started("--port", "0") as process:
            assert process.wait(60) == 1
            assert process.stdout is not None and process.stdout.read() == ""
    finally:
        file.write_bytes(whole)
    assert re.search(r"slipway: the bytes of the copy in .*served/model changed", container.log())


def test_a_folder_that_is_no_image_and_words_that_do_not_go_together_are_refused(
    library: "Library", tmp_path: Path
) -> None:
    nothing = library.slipway("serve", "--from", tmp_path)
    assert nothing.code == 3 and "has no version.json; `slipway image NAME` writes such a folder" in nothing.err
    (tmp_path / "version.json").write_text('{"name": "x"}')
    assert "does not say which version it is" in library.slipway("serve", "--from", tmp_path).err
    for words in ((), ("late_loans", "--from", tmp_path), ("--from", tmp_path, "--version", 1)):
        assert library.slipway("serve", *words).code == 2
