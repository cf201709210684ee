"""The section `gates`: each part configures the gate of the same name in `slipway.core.gates`."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from slipway.core.spec._section import OwnRef, Section, Text, name_of, wrong
from slipway.errors import did_you_mean

OF_MATURITY = ("slices", "latency", "approval")
"""Gates that a maturity asks for by itself; an experiment may leave one out with a reason."""
_Positive = Annotated[float, Field(gt=0)]


class Margin(Section):
    margin: Annotated[float, Field(ge=0)] = Field(0.0, description="in the unit of the search metric")


class SlicesGate(Section):
    """No slice is clearly worse than the same slice with the version in Production, or than a bound."""

    margin: Annotated[float, Field(ge=0)] = Field(
        0.0, description="by how much a slice may be worse than with the version in Production, in the search metric"
    )
    worst: float | None = Field(None, description="the value of the search metric that every slice has to reach")


class CalibrationGate(Section):
    """The expected calibration error of the probabilities, or values, is below a bound."""

    error: _Positive = Field(description="largest expected calibration error on the test rows")


class LatencyGate(Section):
    """The latency of single rows, measured on the service that will answer them."""

    p99_ms: _Positive | None = Field(None, description="by default that of sla.p99_ms")


class SizeGate(Section):
    megabytes: _Positive = Field(description="of all files of the model")


class ReproducibleGate(Section):
    """The winner is fitted again from its records and gives the same scores; the gate takes as long as one fit."""

    difference: Annotated[float, Field(ge=0)] = Field(0.0, description="largest difference of a score or value")


class FreshnessGate(Section):
    """The newest row that a version was tested on is not older than a bound."""

    max_age_days: _Positive


class ApprovalGate(Section):
    """People other than the author approve exactly this evidence."""

    number: Annotated[int, Field(ge=1, le=10)] = 1
    approvers: list[Text] = Field(default_factory=list, description="who may; anybody but the author when it is empty")


class Gates(Section):
    """The gates before a version moves to the next stage, in addition to the gates of its maturity."""

    thresholds: dict[str, float] = Field(
        default_factory=dict, description="smallest score, or largest error, on the test rows"
    )
    beats_baseline: Margin | None = None
    not_worse_than_champion: Margin | None = None
    slices: SlicesGate | None = None
    calibration: CalibrationGate | None = None
    latency: LatencyGate | None = None
    size: SizeGate | None = None
    reproducible: ReproducibleGate | None = None
    freshness: FreshnessGate | None = None
    approval: ApprovalGate | None = None
    own: list[OwnRef] = Field(
        default_factory=list,
        description="functions of the experiment's folder, or entry points of the group slipway.gates: they get the evidence, "
        "return a verdict",
    )
    without: dict[str, Text] = Field(
        default_factory=dict, description="gates of the maturity that are left out, each with the reason"
    )

    @property
    def named(self) -> tuple[str, ...]:
        """The names of the declared sections, in the order of the file's schema."""
        return tuple(name for name in type(self).model_fields if isinstance(getattr(self, name), Section))

    @model_validator(mode="after")
    def _left_out_is_not_asked_for(self) -> Self:
        for name in self.without:
            if name not in OF_MATURITY:
                raise wrong(f"'{name}' cannot be left out{did_you_mean(name, OF_MATURITY)}", "without", name)
            if name in self.named:
                raise wrong(f"'{name}' is asked for and left out", "without", name)
        return self

    @model_validator(mode="after")
    def _own_gates_have_names_of_their_own(self) -> Self:
        names = [name_of(ref) for ref in self.own]
        for i, name in enumerate(names):
            if name in type(self).model_fields or name in ("policy", "specified", "signature") or name in names[:i]:
                raise wrong(f"'{name}' is the name of another gate", "own", i)
        return self
