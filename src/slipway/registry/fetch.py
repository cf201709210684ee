"""A registered version's files on this disk, verified."""

from pathlib import Path

from slipway.errors import UntrustedModel
from slipway.registry.models import download
from slipway.registry.trust import DIGEST, artifact_digest, drop_compiled_code
from slipway.registry.versions import Version


def fetch_verified(version: Version, into: Path) -> Path:
    """Download a version's files and return their folder, which holds no compiled code.

    Raises UntrustedModel when they are not, byte for byte, what was registered.
    """
    files = download(version.uri, into)
    drop_compiled_code(files)
    registered, found = version.tags.get(DIGEST), artifact_digest(files)
    if registered != found:
        said = (
            "has no digest in the registry" if registered is None else "is not what was registered: its bytes changed"
        )
        raise UntrustedModel(f"the model of {version.name} version {version.number} {said}; register its run again")
    return files
