"""Duties: the declarations that an experiment's maturity asks for before a release, each with an example.

From `mvp` on, an experiment.yaml with a missing duty is refused. A `poc` may be trained without its duties, and the gate
`specified` asks for them before Production.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from slipway.core.spec._data import Data
from slipway.core.spec._gates import Gates
from slipway.core.spec._release import Evaluation, Sla
from slipway.core.spec._scope import Maturity, Scope
from slipway.core.spec._search import Search
from slipway.core.statistics.metrics import named


@dataclass(frozen=True)
class Duty:
    """One declaration that the maturity asks for.

    Attributes:
        at: The place of the declaration in experiment.yaml.
        what: The name of the declaration in words.
        example: A value that shows the form, as YAML.
    """

    at: tuple[str, ...]
    what: str
    example: str

    @property
    def key(self) -> str:
        return ".".join(self.at)

    def __str__(self) -> str:
        return f"{self.key}, as in `{self.at[-1]}: {self.example}`"


class Declaration(Protocol):
    """The sections of an Experiment that a release asks about."""

    @property
    def scope(self) -> Scope: ...

    @property
    def search(self) -> Search: ...

    @property
    def data(self) -> Data: ...

    @property
    def gates(self) -> Gates: ...

    @property
    def evaluation(self) -> Evaluation: ...

    @property
    def sla(self) -> Sla: ...

    @property
    def delivery(self) -> Sequence[str]: ...


def undeclared(experiment: Declaration) -> tuple[Duty, ...]:
    """Return the Duties of the experiment's maturity that are not declared, in the file's order."""
    return tuple(duty for given, duty in _duties(experiment) if not given)


def _duties(experiment: Declaration) -> Iterator[tuple[object, Duty]]:
    """Yield each Duty of the maturity as a pair: the value declared for the Duty, and the Duty."""
    scope, metric = experiment.scope, experiment.search.metric
    yield scope.owner, Duty(("scope", "owner"), "an owner", "team@example.com")
    if scope.maturity is not Maturity.POC:
        yield scope.decision, Duty(("scope", "decision"), "a decision that it serves", "whom to call first")
    if scope.maturity is Maturity.PRODUCTION:
        yield from _in_production(experiment)
    bound = "0.7" if named(metric).greater_is_better else "0.5"
    threshold = Duty(("gates", "thresholds", metric), f"a threshold for {metric}", bound)
    yield metric in experiment.gates.thresholds, threshold
    if scope.maturity is not Maturity.POC and "service" in experiment.delivery:
        yield experiment.sla.p99_ms, Duty(("sla", "p99_ms"), "sla.p99_ms, since it is delivered as a service", "50")


def _in_production(experiment: Declaration) -> Iterator[tuple[object, Duty]]:
    for name in experiment.data.features:
        what = f"{name}'s `known`: how it is known in time"
        yield experiment.data.columns[name].known, Duty(("data", "columns", name, "known"), what, "from the timetable")
    if "slices" not in experiment.gates.without:
        what = "columns whose slices are looked at before a release, or a reason in gates.without.slices why none are"
        yield experiment.evaluation.columns, Duty(("evaluation", "slices"), what, f"[{experiment.data.features[0]}]")
