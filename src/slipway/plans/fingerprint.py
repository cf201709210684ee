"""What a plan depends on beside its model: two processes of which it is the same make the same plan and read it alike."""

import hashlib
import platform
import sys
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path

_INSTALLED = ("llvmlite", "numba", "numpy", "pandas", "scikit-learn", "scipy", "skops")
_OURS = ("compile", "plans")


def versions() -> str:
    """Return a digest of Python, what it computes with, Slipway's compiler, and the machine's kind."""
    digest = hashlib.sha256(f"{sys.version} {platform.machine()} {_instructions()}".encode())
    for name in _INSTALLED:
        digest.update(f" {name} {version(name)}".encode())
    package = Path(__file__).parent.parent
    for path in sorted(path for part in _OURS for path in (package / part).rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _instructions() -> str:
    """What the processor can do, where that can be read: BLAS and numpy compute by it."""
    with suppress(OSError), Path("/proc/cpuinfo").open() as lines:
        return next((line for line in lines if line.startswith(("flags", "Features"))), "")
    return platform.processor()
