"""The fingerprint of everything, beside the model, that a plan depends on.

Two processes with the same fingerprint make the same plan of a model, and read a stored plan in the same way.
"""

import hashlib
import platform
import sys
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

_INSTALLED = ("llvmlite", "numba", "numpy", "pandas", "scikit-learn", "scipy", "skops")
_IF_INSTALLED = ("catboost", "lightgbm", "xgboost", "xgboost-cpu")
_OURS = ("compile", "plans")


def versions() -> str:
    """Return a digest of Python, of the libraries that compute, of Slipway's compiler and of the processor."""
    digest = hashlib.sha256(f"{sys.version} {platform.machine()} {_instructions()}".encode())
    for name in _INSTALLED:
        digest.update(f" {name} {version(name)}".encode())
    for name in _IF_INSTALLED:
        with suppress(PackageNotFoundError):
            digest.update(f" {name} {version(name)}".encode())
    package = Path(__file__).parent.parent
    for path in sorted(path for part in _OURS for path in (package / part).rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _instructions() -> str:
    """Return the instruction sets of the processor, by which BLAS and numpy choose how to compute."""
    with suppress(OSError), Path("/proc/cpuinfo").open() as lines:
        return next((line for line in lines if line.startswith(("flags", "Features"))), "")
    return platform.processor()
