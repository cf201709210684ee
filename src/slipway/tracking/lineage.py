"""Where a run came from: commit, lock file, code."""

import hashlib
import subprocess
from pathlib import Path


def git_state(folder: Path) -> dict[str, str]:
    """Return the tags of the commit that a folder is checked out at: empty where it is no git checkout."""
    commit = _git(folder, "rev-parse", "HEAD")
    if not commit:
        return {}
    dirty = "true" if _git(folder, "status", "--porcelain", "--untracked-files=no") else "false"
    return {"mlflow.source.git.commit": commit, "slipway.git_commit": commit, "slipway.git_dirty": dirty}


def file_digest(path: Path) -> str | None:
    """Return the SHA-256 of a file; None where there is none."""
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None


def code_digest(folder: Path) -> str:
    """Return the SHA-256 of the Python files of a folder, names included."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        digest.update(f"{path.relative_to(folder)}\n".encode() + path.read_bytes())
    return digest.hexdigest()


def _git(folder: Path, *words: str) -> str:
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *words], capture_output=True, text=True, timeout=20, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
