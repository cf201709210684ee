"""`slipway history`: what moved, when, by whom, why."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from slipway.core.movements import Movement
from slipway.registry.versions import Version, list_versions
from slipway.settings import Settings
from slipway.tracking.client import connect
from slipway.types import Stage
from slipway.workflows.platform import resolve_tracking_uri
from slipway.workflows.promote import open_ledger


@dataclass(frozen=True)
class History:
    """What holds each stage now, and every movement, oldest first."""

    name: str
    holders: Mapping[Stage, int]
    movements: tuple[Movement, ...]

    def as_dict(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "stages": {stage.value: version for stage, version in self.holders.items()},
            "movements": [movement.as_dict() for movement in self.movements],
        }

    def __str__(self) -> str:
        held = ", ".join(f"{stage}: version {version}" for stage, version in self.holders.items()) or "no stage is held"
        lines = [f"{self.name} · {held}"]
        for movement in self.movements:
            said = f" — {movement.comment}" if movement.comment else ""
            lines.append(f"{movement.at:%Y-%m-%d %H:%M:%S} UTC  {movement}, by {movement.by}{said}")
            lines += [f"    {'✓' if v.passed else '✗'} {v.gate}: {v.reason}" for v in movement.verdicts]
        return "\n".join(lines if self.movements else [*lines, "nothing has moved yet"])


def history(settings: Settings, name: str) -> History:
    """Return the movements of a registered model. Raises UnknownName when there is no such model."""
    client = connect(resolve_tracking_uri(settings))
    movements = tuple(open_ledger(client, name).movements())
    return History(name, holders(list_versions(client, name)), movements)


def holders(versions: list[Version]) -> dict[Stage, int]:
    """Return which version holds Production and which Staging."""
    return {
        stage: version.number
        for stage in (Stage.PRODUCTION, Stage.STAGING)
        for version in versions
        if version.stage is stage
    }
