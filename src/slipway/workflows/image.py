"""`slipway image`: the build context of a container image, with a version, its locked packages and its server."""

import hashlib
import importlib.metadata
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlflow import MlflowClient
from packaging.requirements import Requirement

from slipway import version
from slipway.core.release.lock import amiss, pins
from slipway.errors import FileUnusable, Refusal
from slipway.registry.artifacts.fetch import fetch_verified
from slipway.registry.artifacts.folder import write_folder
from slipway.registry.artifacts.libraries import libraries_in
from slipway.registry.artifacts.models import python_of, requirements_of, temporary_folder
from slipway.registry.trust import DIGEST, require_as_written
from slipway.registry.versions import Version, get_version, version_in
from slipway.registry.watch import Seen
from slipway.settings import Settings
from slipway.types import Stage
from slipway.workflows.endpoint.image_files import (
    BUILD_LOCK,
    ENTRIES,
    FIRST_WORDS,
    IGNORED,
    LOCK,
    PACKAGE,
    SERVED,
    ImageFacts,
    dockerfile,
    readme,
)
from slipway.workflows.project import trusted_types
from slipway.workflows.session import open_client

LOCK_DIGEST = "slipway.lock_digest"


@dataclass(frozen=True)
class Image:
    """A build context that `write_image` wrote."""

    version: Version
    folder: Path
    facts: ImageFacts

    def as_dict(self) -> dict[str, Any]:
        facts = self.facts
        return {
            **self.version.facts(),
            "folder": str(self.folder),
            "tag": facts.tag,
            "python": facts.python,
            "lock": facts.lock,
        }

    def __str__(self) -> str:
        return (
            f"{self.folder} is the build context of {self.version.name} version {self.version.number}, "
            f"Python {self.facts.python}; its {LOCK} is {self.facts.lock}\n"
            f"docker build -t {self.facts.tag} {self.folder}\n"
            f"docker run --rm -p 5001:5001 -e SLIPWAY_API_KEYS {self.facts.tag}"
        )


def write_image(
    settings: Settings,
    name: str,
    output: Path,
    *,
    stage: Stage = Stage.PRODUCTION,
    number: int | None = None,
    lock: Path | None = None,
) -> Image:
    """Write the build context of a version into a folder, whole or not at all.

    Args:
        settings: the tracking server, the project and the types that are trusted.
        name: the registered model.
        output: the folder, which is empty, missing, or holds an older build context that is replaced.
        stage: the stage whose version is taken, unless a number is given.
        number: the version's number.
        lock: a lock file, in place of the one that the version was trained with.

    Raises UnknownName, UntrustedModel, FileUnusable for a folder that holds anything else, Refusal for a lock that cannot be
    installed with hashes or lacks a library that the model was made with.
    """
    _require_replaceable(output)
    client = open_client(settings)
    version = get_version(client, name, number) if number else version_in(client, name, stage)
    trusted = trusted_types(settings, name, lambda: (client, version))
    with temporary_folder() as made:
        files = fetch_verified(version, Path(made) / "model")
        require_as_written(files, trusted)
        text, origin = _lock(client, settings, version, lock, Path(made))
        _require_installable(text, files, origin)
        digest, build = version.tags[DIGEST], _what_builds(text)
        facts = ImageFacts(name, version.number, version.run_id, digest, python_of(files), trusted, origin, bool(build))
        seen = Seen(version.number, version.stage, digest, version.run_id)
        _write(output, facts, seen, files, text, build)
    return Image(version, output, facts)


def _lock(
    client: MlflowClient, settings: Settings, version: Version, given: Path | None, made: Path
) -> tuple[str, str]:
    """Return the text of the lock, and a phrase that says where the lock is from."""
    if given:
        same = _digest(given) == version.tags.get(LOCK_DIGEST)
        return _text(given), "the one it was trained with" if same else f"{given.name}, given by --lock"
    wanted = version.tags.get(LOCK_DIGEST)
    if wanted is None:
        raise Refusal(
            f"{version.name} version {version.number} was trained without a {LOCK}; name one with --lock FILE"
        )
    if any(entry.path == LOCK for entry in client.list_artifacts(version.run_id)):
        recorded = Path(client.download_artifacts(version.run_id, LOCK, str(made)))
        if _digest(recorded) == wanted:
            return _text(recorded), "the one it was trained with"
    ours = settings.project / LOCK
    if ours.is_file() and _digest(ours) == wanted:
        return _text(ours), "the one it was trained with"
    raise Refusal(
        f"the {LOCK} that {version.name} version {version.number} was trained with is neither with its run nor in "
        f"{settings.project}; take it from the commit that its page names, or another one, with --lock FILE"
    )


def _require_installable(text: str, files: Path, origin: str) -> None:
    """Raise Refusal for a lock that pip cannot install with hashes, or that the model or its server cannot run on."""
    exactly = {}
    for requirement in map(Requirement, requirements_of(files)):
        (pin,) = requirement.specifier
        exactly[requirement.name] = pin.version
    try:
        declared = map(Requirement, importlib.metadata.requires("slipway") or ())
        needed = [each.name for each in declared if each.marker is None or each.marker.evaluate({"extra": ""})]
    except importlib.metadata.PackageNotFoundError:  # run from source: the build will say which package is missing
        needed = []
    # Older versions require the same six libraries whatever they hold; newer ones name their own, in `exactly` already.
    if problems := amiss(text, exactly, [*needed, *libraries_in(files)]):
        lines = "\n".join(f"  {each}" for each in problems)
        raise Refusal(
            f"the {LOCK} ({origin}) cannot be installed in an image:\n{lines}\n"
            "Make one with `uv pip compile --generate-hashes`, and name it with --lock FILE."
        )


def _what_builds(lock: str) -> str:
    """Return the part of a lock that builds packages which come as source only."""
    return "\n".join(pin.text for pin in pins(lock) if pin.name == "setuptools")


def _write(output: Path, facts: ImageFacts, seen: Seen, files: Path, lock: str, build: str) -> None:
    output = output.absolute()
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{output.name}.", dir=output.parent) as made:
            draft = Path(made) / "context"
            write_folder(draft / SERVED, facts.name, seen, files)
            shutil.copytree(
                Path(version.__file__).parent, draft / PACKAGE, ignore=shutil.ignore_patterns("__pycache__")
            )
            texts = {"Dockerfile": dockerfile(facts), "README.md": readme(facts, "."), ".dockerignore": IGNORED}
            texts |= {LOCK: lock, **({BUILD_LOCK: f"{build}\n"} if build else {})}
            for file, text in texts.items():
                (draft / file).write_text(text, encoding="utf-8")
            _let_all_read(draft)
            _put_in_place(draft, output, Path(made) / "before")
    except OSError as error:
        raise FileUnusable(f"{output} cannot be written: {error.strerror or error}") from error


def _put_in_place(draft: Path, output: Path, aside: Path) -> None:
    _require_replaceable(output)
    if output.exists():
        output.rename(aside)
    draft.rename(output)


def _require_replaceable(output: Path) -> None:
    """Raise FileUnusable unless the folder is missing, empty, or holds an older build context."""
    if not output.exists():
        return
    if not output.is_dir():
        raise FileUnusable(f"{output} is no folder; name another with --output")
    names = {path.name for path in output.iterdir()}
    file = output / "Dockerfile"
    ours = file.is_file() and file.read_text(encoding="utf-8", errors="replace").startswith(FIRST_WORDS)
    if strange := sorted(names - (ENTRIES if ours else set())):
        listed = ", ".join(strange[:5])
        raise FileUnusable(f"{output} holds what is of no image: {listed}; empty it, or name another with --output")


def _let_all_read(folder: Path) -> None:
    """Let everybody read the files: COPY keeps permissions, and the container has another user than this process."""
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise FileUnusable(f"{path} cannot be read: {error}") from None


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
