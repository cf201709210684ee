"""The capture of an endpoint: its folder, its limits, and the writer that the supervisor starts."""

from pathlib import Path

from slipway.capture.writer import CaptureLimits
from slipway.serving.config import Capture
from slipway.settings import Settings

WRITER = "slipway.capture.writer:writer"
PRELOAD = ("slipway.capture.tables", "slipway.capture.segments")


def capture_folder(settings: Settings) -> Path:
    """Return the folder that holds the segments of all models."""
    return settings.home / "capture"


def to_capture(settings: Settings, share: float, max_bytes: int) -> Capture:
    """Return the configuration that captures a share of the requests.

    share: above 0 and up to 1. max_bytes: the most that the segments of one model take on disk.
    """
    limits = CaptureLimits(max_bytes=max_bytes)
    return Capture(share, WRITER, capture_folder(settings), {"limits": limits}, PRELOAD)
