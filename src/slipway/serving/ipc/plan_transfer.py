"""The transfer of a plan from a back to the fronts: encoded once, opened by the front, and never in between."""

import pickle
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class PackedPlan:
    """A plan as `slipway.plans.stored` writes it. Its content travels beside the pickle of a message, and arrives unopened."""

    content: bytearray

    def __reduce__(self) -> tuple[Any, ...]:
        return PackedPlan, (pickle.PickleBuffer(self.content),)


@dataclass(frozen=True)
class PlanInTransit:
    """A PackedPlan that arrives as the plan itself."""

    packed: PackedPlan

    def __reduce__(self) -> tuple[Any, ...]:
        return _opened, (pickle.PickleBuffer(self.packed.content),)


def _opened(content: bytearray) -> Any:
    from slipway.plans import opened  # only here: the supervisor passes plans on without importing what opens them

    return opened(content)
