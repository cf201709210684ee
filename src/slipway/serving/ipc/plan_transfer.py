"""A plan on its way from a back to the fronts: written down once, opened where it is used, never in between."""

import pickle
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class PackedPlan:
    """A plan as `slipway.plans.stored` writes it. It goes beside a pickle, not in it, and arrives as it is."""

    content: bytearray

    def __reduce__(self) -> tuple[Any, ...]:
        return PackedPlan, (pickle.PickleBuffer(self.content),)


@dataclass(frozen=True)
class PlanInTransit:
    """Pickles as a packed plan and arrives as the plan itself."""

    packed: PackedPlan

    def __reduce__(self) -> tuple[Any, ...]:
        return _opened, (pickle.PickleBuffer(self.packed.content),)


def _opened(content: bytearray) -> Any:
    from slipway.plans import opened  # here alone: the supervisor passes plans on without numpy's friends

    return opened(content)
