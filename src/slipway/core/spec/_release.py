"""The sections `evaluation`, `sla` and `monitor`: the reviewers' view, and the promises for the time after a release."""

from typing import Annotated, Literal

from pydantic import Field

from slipway.core.spec._section import ColumnName, Fraction, Section


class Evaluation(Section):
    """The columns by which reviewers see the metrics on parts of the test rows."""

    slices: list[ColumnName] = Field(default_factory=list, description="columns whose values are looked at one by one")
    sensitive: list[ColumnName] = Field(
        default_factory=list, description="columns whose groups have to be treated alike; they are slices too"
    )

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column of `slices` and `sensitive`, each once."""
        return tuple(dict.fromkeys((*self.slices, *self.sensitive)))


class Sla(Section):
    """The promises of the service to its callers."""

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
    """The metric to watch once the version is live; nothing reads or measures the section yet."""

    metric: str
    floor: float = Field(description="the value of the metric at which a retuning is due; not measured yet")
    window_days: Annotated[float, Field(gt=0)] = Field(7, description="over so many days; not measured yet")
