"""The download of a registered version's files, verified by their digest."""

from pathlib import Path

from slipway.registry.artifacts.models import download
from slipway.registry.trust import (
    DIGEST,
    artifact_digest,
    changed_bytes,
    require_no_compiled_code,
    without_digest,
)
from slipway.registry.versions import Version


def fetch_verified(version: Version, into: Path) -> Path:
    """Download a version's files and return their folder, which holds no compiled code.

    Raises UntrustedModel for a version without a digest, for files that are not, byte for byte, those registered, and for
    compiled code among them, which no digest covers.
    """
    registered = version.tags.get(DIGEST)
    if registered is None:
        raise without_digest(version.name, version.number, version.run_id)
    files = download(version.uri, into)
    if registered != artifact_digest(files):
        raise changed_bytes(version.name, version.number)
    require_no_compiled_code(files)
    return files
