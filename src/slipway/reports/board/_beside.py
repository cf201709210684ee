"""The version in Production beside the version of a page: what changed since, and its numbers in the same tables."""

from dataclasses import dataclass

from slipway.core.release.changes import Changes
from slipway.reports.card import CardFairness, ModelCard


@dataclass(frozen=True)
class MetricBeside:
    """One metric of both versions on the same rows. better_by: how much better this version is, negative where worse."""

    metric: str
    ours: float
    theirs: float
    better_by: float


@dataclass(frozen=True)
class FactBeside:
    """One fact of both versions in words, such as the winner's parameters or the size; a dash where it is not known."""

    name: str
    ours: str
    theirs: str


@dataclass(frozen=True)
class ChampionBeside:
    """Another version beside the version of a page.

    Attributes:
        version: The number of the other version.
        live: Whether the other version is in Production.
        changes: What changed from the other version to this one.
        facts: The facts of both: candidate, parameters, size, latency, costs.
        card: The model card of the other version's run; None without one.
    """

    version: int
    live: bool
    changes: Changes
    facts: tuple[FactBeside, ...] = ()
    card: ModelCard | None = None

    def group(self, column: str, value: str, measure: str) -> float | None:
        """Return a measure of the other version for a group of rows, by its own test rows; None where there is none."""
        groups = [each for of in self._fairness(column) for each in of.groups if each.value == value]
        return groups[0].measures.get(measure) if groups else None

    def _fairness(self, column: str) -> list[CardFairness]:
        return [each for each in (self.card.fairness if self.card else ()) if each.column == column]
