"""`evaluation`, `sla` and `monitor`: what reviewers see, and what has to hold after a release."""

from typing import Annotated, Literal

from pydantic import Field

from slipway.core.spec._section import ColumnName, Fraction, Section


class Evaluation(Section):
    """What reviewers see of the test rows beyond the metrics: parts of them, by columns of the contract."""

    slices: list[ColumnName] = Field(default_factory=list, description="columns whose values are looked at one by one")
    sensitive: list[ColumnName] = Field(
        default_factory=list, description="columns whose groups have to be treated alike; they are slices too"
    )

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column that is looked at, each once."""
        return tuple(dict.fromkeys((*self.slices, *self.sensitive)))


class Sla(Section):
    """What the service promises to those who call it."""

    p99_ms: Annotated[float, Field(gt=0)] | None = Field(
        None, description="99 % of the requests take at most so many milliseconds; measured by the gate latency"
    )
    availability: Fraction | None = Field(
        None, description="share of the time in which the service answers; not measured yet"
    )
    report: Literal["daily", "weekly", "monthly"] | None = Field(
        None, description="how often a report is due; not measured yet"
    )


class Monitor(Section):
    """What is to be watched once the version is live; not measured yet: nothing reads it."""

    metric: str
    floor: float = Field(description="the value of the metric at which a retuning is due; not measured yet")
    window_days: Annotated[float, Field(gt=0)] = Field(7, description="over so many days; not measured yet")
