"""The search space of a candidate, as declared in experiment.yaml.

A parameter is declared by the name of its distribution and that distribution's arguments:

    learning_rate: {log_uniform: [0.03, 0.3]}     a float, its logarithm drawn evenly
    alpha:         {uniform: [0, 1]}              a float, drawn evenly
    max_depth:     {int: [2, 12]}                 a whole number, both ends included
    penalty:       {choice: [l1, l2]}             one of the listed values
"""

import math
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, model_validator
from pydantic_core import PydanticCustomError

# hyperopt draws floats, and a float holds every whole number up to here only.
_Whole = Annotated[int, Field(ge=-(2**53), le=2**53)]


class _Distribution(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Uniform(_Distribution):
    """A float between two ends, drawn evenly."""

    ends: tuple[float, float] = Field(alias="uniform")

    @model_validator(mode="after")
    def _ordered(self) -> "Uniform":
        low, high = self.ends
        require_ordered("uniform", low, high)
        if not math.isfinite(high - low):
            raise PydanticCustomError("space", f"uniform is too wide to draw from; found [{low}, {high}]")
        return self


class LogUniform(_Distribution):
    """A float between two positive ends, its logarithm drawn evenly."""

    ends: tuple[float, float] = Field(alias="log_uniform")

    @model_validator(mode="after")
    def _ordered(self) -> "LogUniform":
        low, high = self.ends
        if low <= 0:
            raise PydanticCustomError("space", f"log_uniform needs ends above 0; found {low}")
        require_ordered("log_uniform", low, high)
        return self


class Int(_Distribution):
    """A whole number between two ends, both included, drawn evenly."""

    ends: tuple[_Whole, _Whole] = Field(alias="int")

    @model_validator(mode="after")
    def _ordered(self) -> "Int":
        require_ordered("int", *self.ends)
        return self


class Choice(_Distribution):
    """One of the listed values."""

    options: list[Any] = Field(alias="choice", min_length=1)

    @model_validator(mode="after")
    def _distinct(self) -> "Choice":
        spelled = [repr(option) for option in self.options]
        if len(set(spelled)) < len(spelled):
            raise PydanticCustomError("space", f"choice lists a value twice: {', '.join(spelled)}")
        return self


KINDS: dict[str, type[BaseModel]] = {"uniform": Uniform, "log_uniform": LogUniform, "int": Int, "choice": Choice}


def require_ordered(kind: str, low: float, high: float) -> None:
    """Refuse a range whose low end is not below its high end."""
    if not low < high:
        raise PydanticCustomError("space", f"{kind} needs its low end below its high end; found [{low}, {high}]")


def _kind(value: Any) -> str | None:
    if isinstance(value, _Distribution):
        return next(kind for kind, model in KINDS.items() if isinstance(value, model))
    if isinstance(value, dict) and len(value) == 1:
        return str(next(iter(value)))
    return None


Distribution = Annotated[
    Annotated[Uniform, Tag("uniform")]
    | Annotated[LogUniform, Tag("log_uniform")]
    | Annotated[Int, Tag("int")]
    | Annotated[Choice, Tag("choice")],
    Discriminator(_kind),
]
"""One parameter's distribution: exactly one of `uniform`, `log_uniform`, `int`, `choice`."""

Space = dict[str, Distribution]


def contains(distribution: Any, value: Any) -> bool:
    """Return whether a drawn value lies in its distribution; the ends count, and so does an error of rounding beyond an end."""
    match distribution:
        case Choice(options=options):
            return any(type(option) is type(value) and option == value for option in options)
        case Int(ends=(low, high)):
            return isinstance(value, int) and low <= value <= high
        case Uniform(ends=(low, high)) | LogUniform(ends=(low, high)):
            slack = 1e-12 * max(abs(low), abs(high))
            is_number = isinstance(value, int | float) and not isinstance(value, bool)
            return is_number and math.isfinite(value) and low - slack <= value <= high + slack
    raise TypeError(f"not a distribution: {distribution!r}")


def spread(space: Space, count: int) -> list[dict[str, Any]]:
    """Return up to `count` different points of a space, evenly from the low ends and first choices up to the high ends."""
    points: list[dict[str, Any]] = []
    for place in range(count):
        share = place / max(1, count - 1)
        point = {name: _value(distribution, share, place) for name, distribution in space.items()}
        if point not in points:
            points.append(point)
    return points


def _value(distribution: Any, share: float, place: int) -> Any:
    match distribution:
        case Choice(options=options):
            return options[place % len(options)]
        case Int(ends=(low, high)):
            return low + round(share * (high - low))
        case Uniform(ends=(low, high)):
            return min(high, low + share * (high - low))
        case LogUniform(ends=(low, high)):
            return min(high, low * (high / low) ** share)
    raise TypeError(f"not a distribution: {distribution!r}")
