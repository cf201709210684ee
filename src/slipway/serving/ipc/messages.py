"""Messages between the supervisor, the fronts, and the processes that hold a model."""

from dataclasses import dataclass

from slipway.core.variants import VariantState
from slipway.serving.contract import Generation, Signature
from slipway.serving.ipc.plan_transfer import PackedPlan


@dataclass(frozen=True)
class ModelLoaded:
    """A back is ready. plan: None when it was not asked for, or could not be made, and then why_not says why."""

    signature: Signature
    plan: PackedPlan | None
    why_not: str


@dataclass(frozen=True)
class ModelFailed:
    """A back cannot serve its version.

    passing: it may be otherwise soon, such as when a server is back. refused: it must not be served, whatever the machine.
    """

    why: str
    passing: bool = False
    refused: bool = False


# ---- supervisor → front
@dataclass(frozen=True)
class Swap:
    """Serve these from now on, and no others; swapped in between two requests, answered by Swapped.

    second: of the one model that is served then, what its arm is; None for none.
    """

    generations: tuple[Generation, ...]
    variant: Generation | None = None


@dataclass(frozen=True)
class TakeoverFailure:
    """A version did not take over. at: seconds since 1970. Shown on /ready until a later generation of the model takes over."""

    model: str
    version: int
    why: str
    at: float


@dataclass(frozen=True)
class VariantReport:
    """What has become of the second version, for /ready and the metrics. version: which one it is about, 0 for none.

    bound, why: the bound that it passed, and the numbers; of a shadow, which goes on, as long as it is past it.
    at: seconds since 1970. failure: a later version that did not take the role.
    """

    state: VariantState
    version: int
    bound: str
    why: str
    at: float
    failure: TakeoverFailure | None


@dataclass(frozen=True)
class ValidKeys:
    """The API keys that are valid from now on, as SHA-256 in hex. None: no key is asked for."""

    hashes: tuple[str, ...] | None


@dataclass(frozen=True)
class Drain:
    """Accept nothing more, finish what is under way within `timeout_s`, then end."""

    timeout_s: float = 8.0


# ---- front → supervisor
@dataclass(frozen=True)
class Ready:
    """The front accepts connections (its first Swap was done)."""


@dataclass(frozen=True)
class Swapped:
    """The front answers with these generations' numbers from now on; nothing new is asked of others."""

    numbers: tuple[int, ...]


@dataclass(frozen=True)
class Stuck:
    """A back did not answer within the time of a request: it is to be killed and replaced, at the same socket."""

    back: str
