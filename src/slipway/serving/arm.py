"""What an endpoint is told of the second version that it has beside the first."""

from dataclasses import dataclass, field

from slipway.core.arms import Role
from slipway.serving.arm_numbers import ArmNumbers
from slipway.serving.bounds import Bounds

STICKY_HEADER = "X-Slipway-Key"


@dataclass(frozen=True)
class Arm:
    """A second version and what it is for. of: the stage or the version that was asked for.

    share: of the callers that a canary answers, or of the requests that a shadow answers too; 0 to 1.
    sticky_header: whose value says which requests are of one caller.
    """

    role: Role
    of: str
    share: float
    bounds: Bounds = field(default_factory=Bounds)
    sticky_header: str = STICKY_HEADER


@dataclass(frozen=True)
class Beside:
    """What a front needs for it. copies: the Unix socket of the process that compares."""

    numbers: ArmNumbers
    copies: str
