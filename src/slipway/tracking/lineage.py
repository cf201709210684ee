"""The lineage of a run: commit, lock file, code."""

import hashlib
import subprocess
from pathlib import Path

from slipway.core.release.changes import web_page

GIT_REMOTE = "slipway.git_remote"
"""The tag of a run with the web page of the repository that its project is checked out from."""


def git_commit(folder: Path) -> str:
    """Return the commit that a folder is checked out at; empty where it is no git checkout."""
    return _git(folder, "rev-parse", "HEAD") or ""


def git_state(project: Path, experiment: Path) -> dict[str, str]:
    """Return the tags of the commit that a project is checked out at: empty where it is no git checkout.

    `slipway.git_dirty` is "false" only where the commit holds all code of the run: no committed file of the checkout was
    changed, and the experiment's folder holds no file that was never committed. Among the files that git ignores, the
    declaration and the code count too; rows and caches do not, since rows have a digest of their own.
    """
    commit = git_commit(project)
    if not commit:
        return {}
    dirty = "true" if _changed(project) or _never_committed(project, experiment) else "false"
    page = web_page(_git(project, "remote", "get-url", "origin") or "")  # without a name or a password in it
    remote = {GIT_REMOTE: page} if page else {}
    return {"mlflow.source.git.commit": commit, "slipway.git_commit": commit, "slipway.git_dirty": dirty, **remote}


def _changed(project: Path) -> bool:
    """Say whether a committed file was changed; where git does not answer, assume so."""
    return _git(project, "status", "--porcelain", "--untracked-files=no") != ""


def _never_committed(project: Path, experiment: Path) -> bool:
    """Say whether the experiment's folder holds a file that was never committed; where git does not answer, assume so."""
    others = ("ls-files", "--others", "-z")
    seen = _git(project, *others, "--exclude-standard", "--", str(experiment))
    ignored_too = _git(project, *others, "--", str(experiment))
    # A name that ends in a slash is a checkout within the checkout, of which no file is listed.
    code = [name for name in (ignored_too or "").split("\0") if name.endswith((".py", "/experiment.yaml", "/"))]
    return seen != "" or ignored_too is None or bool(code)


def file_digest(path: Path) -> str | None:
    """Return the SHA-256 of a file; None where there is none."""
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None


def code_digest(folder: Path) -> str:
    """Return the SHA-256 of the Python files of a folder, names included."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        digest.update(f"{path.relative_to(folder)}\n".encode() + path.read_bytes())
    return digest.hexdigest()


def _git(folder: Path, *words: str) -> str | None:
    """Return what a git command prints; None where it fails, there is no git, or it takes too long."""
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *words],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=20,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
