"""`slipway redeclare`: what is decided about the release of a version is declared again, and nothing is trained."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from slipway.core.release.changes import Change
from slipway.core.release.policy import demands_of, weakenings
from slipway.core.release.redeclaration import (
    declared_again,
    release_part,
    released_otherwise,
    trained_otherwise,
)
from slipway.core.release.transitions import Transition
from slipway.errors import Refusal
from slipway.registry.artifacts.models import temporary_folder
from slipway.registry.demands.redeclaration import declared_now
from slipway.registry.evidence.rescoring import verified_rows
from slipway.registry.permissions import Operation
from slipway.registry.versions import get_version
from slipway.settings import Settings
from slipway.types import Stage
from slipway.workflows.project import declared
from slipway.workflows.promotion.registrar import registrar_of
from slipway.workflows.promotion.transition import open_ledger
from slipway.workflows.session import open_client


@dataclass(frozen=True)
class Redeclared:
    """What was, or would be, declared again for a version.

    Attributes:
        name: the registered model.
        version: the version.
        stage: its stage.
        changes: the keys that differ from the declaration that counted before.
        weaker: the demands among them that are weaker, in words.
        entry: the entry of the ledger; None where nothing was written.
    """

    name: str
    version: int
    stage: Stage
    changes: tuple[Change, ...]
    weaker: tuple[str, ...]
    entry: Transition | None = None

    def as_dict(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "version": self.version,
            "changes": [change.as_dict() for change in self.changes],
            "weaker": list(self.weaker),
            "written": self.entry.as_dict() if self.entry else None,
        }

    def __str__(self) -> str:
        done = "is declared again" if self.entry else "would be declared again; nothing was written"
        lines = [f"  {change.what}: {change.before} → {change.now}" for change in self.changes]
        low = [f"  weaker than before: {each}" for each in self.weaker]
        return "\n".join([f"{self.name} version {self.version} {done}", *lines, *low, self._next])

    @property
    def _next(self) -> str:
        if self.stage is Stage.PRODUCTION:
            return "It stays in Production as it was judged; the next version is held to the stricter of both declarations."
        stage = Stage.PRODUCTION if self.stage is Stage.STAGING else Stage.STAGING
        return (
            f"Verdicts and approvals of before no longer count: `slipway gates {self.name} {self.version} --stage {stage}` "
            "judges it anew."
        )


def redeclare(settings: Settings, name: str, version: int, comment: str, *, dry_run: bool = False) -> Redeclared:
    """Declare the scope, gates, SLA, delivery and monitoring of a version as experiment.yaml says them today.

    Args:
        settings: the project, the tracking server and the user.
        name: the experiment and its registered model.
        version: the version.
        comment: the reason; it may not be empty.
        dry_run: whether to say what would change and write nothing.

    Raises UnknownName, SpecInvalid, and Refusal where experiment.yaml differs in what was trained, or in nothing.
    """
    today, client = declared(settings, name).experiment, open_client(settings)
    ledger, wanted = open_ledger(client, name), get_version(client, name, version)
    with temporary_folder() as made:
        recorded = verified_rows(client, wanted, Path(made))[0].experiment
    if other := trained_otherwise(recorded, today):
        lines = "\n".join(f"  {change.what}: {change.before} → {change.now}" for change in other)
        raise Refusal(
            f"experiment.yaml differs from what {name} version {version} was trained with, so it is of another version; "
            f"`slipway run {name}` trains one, or set these back:\n{lines}"
        )
    part = release_part(today)
    before, now = declared_now(ledger, version, recorded).experiment, declared_again(recorded, part)
    changes = released_otherwise(before, now)
    if not changes:
        raise Refusal(f"{name} version {version} is declared as experiment.yaml says already; nothing was written")
    weaker = tuple(map(str, weakenings(now, demands_of(before))))
    found = Redeclared(name, version, wanted.stage, changes, weaker)
    if dry_run:
        return found
    registrar = registrar_of(client, settings, Operation.REDECLARE, name)
    entry = registrar.redeclare(name, version, part.to_text(), comment)
    return Redeclared(name, version, wanted.stage, changes, weaker, entry)
