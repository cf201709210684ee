"""Messages between the supervisor, the fronts, and the processes that hold a model."""

from dataclasses import dataclass

from slipway.core.variants import VariantState
from slipway.serving.contract import Generation, Signature
from slipway.serving.ipc.plan_transfer import PackedPlan


@dataclass(frozen=True)
class ModelLoaded:
    """A back is ready.

    Attributes:
        signature: Signature of the model.
        plan: None when none was asked for or none could be made.
        why_not: Why no plan could be made; "" otherwise.
    """

    signature: Signature
    plan: PackedPlan | None
    why_not: str


@dataclass(frozen=True)
class ModelFailed:
    """A back cannot serve its version.

    Attributes:
        why: The reason.
        passing: Whether a later try may succeed, such as when a server is back.
        refused: Whether the version must not be served on any machine.
    """

    why: str
    passing: bool = False
    refused: bool = False


# ---- supervisor → front
@dataclass(frozen=True)
class Swap:
    """Serve these generations from now on, and no others. The front swaps between two requests, and answers with Swapped.

    generations: one a model. variant: the variant of the one model that is served then; None for none.
    """

    generations: tuple[Generation, ...]
    variant: Generation | None = None


@dataclass(frozen=True)
class TakeoverFailure:
    """A version did not take over. Shown on /ready until a later generation of the model takes over.

    at: seconds since 1970.
    """

    model: str
    version: int
    why: str
    at: float


@dataclass(frozen=True)
class VariantReport:
    """The state of the variant, for /ready and the metrics.

    Attributes:
        state: Its state.
        version: Number of the version; 0 for none.
        bound: Name of the guardrail that was violated; "" for none. A shadow goes on, and has it as long as it violates it.
        why: A sentence with the numbers of the violation.
        at: Seconds since 1970.
        failure: A later version that did not take the role.
    """

    state: VariantState
    version: int
    bound: str
    why: str
    at: float
    failure: TakeoverFailure | None


@dataclass(frozen=True)
class ValidKeys:
    """The API keys that are valid from now on, as SHA-256 in hex; None asks for no key."""

    hashes: tuple[str, ...] | None


@dataclass(frozen=True)
class Drain:
    """Accept no connection any more, finish the requests under way within `timeout_s`, then end."""

    timeout_s: float = 8.0


# ---- front → supervisor
@dataclass(frozen=True)
class Ready:
    """The front accepts connections: its first Swap is done."""


@dataclass(frozen=True)
class Swapped:
    """The front answers with the generations of these numbers from now on, and sends no request to others."""

    numbers: tuple[int, ...]


@dataclass(frozen=True)
class Stuck:
    """A back did not answer within the time of a request: it is to be killed and replaced, at the same socket."""

    back: str
