"""What a back tells its supervisor, once."""

from dataclasses import dataclass

from slipway.serving.packed import Packed
from slipway.serving.wire import Signature


@dataclass(frozen=True)
class Loaded:
    """A back is ready. plan: None when it was not asked for, or could not be made, and then why_not says why."""

    signature: Signature
    plan: Packed | None
    why_not: str


@dataclass(frozen=True)
class Failed:
    """A back cannot serve its version.

    passing: it may be otherwise soon, such as when a server is back. refused: it must not be served, whatever the machine.
    """

    why: str
    passing: bool = False
    refused: bool = False
