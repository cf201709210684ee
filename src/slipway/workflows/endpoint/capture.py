"""What `slipway serve --capture` keeps, and where: the seam between the endpoint and those who write."""

from pathlib import Path

from slipway.capture.writer import CaptureLimits
from slipway.serving.config import Capture
from slipway.settings import Settings

WRITER = "slipway.capture.writer:writer"
PRELOAD = ("slipway.capture.tables", "slipway.capture.segments")


def capture_folder(settings: Settings) -> Path:
    """Return where the segments of all models are."""
    return settings.home / "capture"


def to_capture(settings: Settings, share: float, max_bytes: int) -> Capture:
    """Return what keeps a share of the requests, above 0 and up to 1. max_bytes: on disk, of each model."""
    limits = CaptureLimits(max_bytes=max_bytes)
    return Capture(share, WRITER, capture_folder(settings), {"limits": limits}, PRELOAD)
