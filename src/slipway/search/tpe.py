"""The conversion of a search space to hyperopt's form, and of hyperopt's values to plain Python values."""

from typing import Any

import numpy as np
from hyperopt import hp
from hyperopt.pyll.base import Apply

from slipway.core.space import Choice, Int, LogUniform, Uniform
from slipway.core.spec import Candidate


def hyperopt_space(candidates: dict[str, Candidate]) -> Apply:
    """Return one conditional space over all candidates: hyperopt draws a candidate, then the parameters of that candidate.

    A drawn point is `{"candidate": name, "params": {parameter: value}}`.
    """
    spaces = [
        {"candidate": name, "params": {key: _node(f"{name}.{key}", d) for key, d in candidate.space.items()}}
        for name, candidate in candidates.items()
    ]
    return hp.choice("candidate", spaces)


def _node(label: str, distribution: Any) -> Apply:
    match distribution:
        case Uniform(ends=(low, high)):
            return hp.uniform(label, low, high)
        case LogUniform(ends=(low, high)):
            return hp.loguniform(label, np.log(low), np.log(high))
        case Int(ends=(low, high)):
            # `uniformint` would round a draw between the ends, and so draw each end half as often as the other numbers.
            return hp.quniform(label, low - 0.5, high + 0.5, 1)
        case Choice(options=options):
            # Indices, not the options: hyperopt would take a list or mapping among them for a space of its own.
            return hp.choice(label, list(range(len(options))))
    raise TypeError(f"not a distribution: {distribution!r}")


def plain_params(candidate: Candidate, drawn: dict[str, Any]) -> dict[str, Any]:
    """Return drawn values as plain Python values: hyperopt gives numpy scalars, and floats for whole numbers."""
    return {key: _plain(distribution, drawn[key]) for key, distribution in candidate.space.items()}


def _plain(distribution: Any, value: Any) -> Any:
    match distribution:
        case Choice(options=options):
            return options[int(value)]
        case Int(ends=(low, high)):
            return min(max(int(value), low), high)  # half a step beyond an end may be rounded away from it
        case LogUniform(ends=(low, high)):
            return min(max(float(value), low), high)  # exp(log(low)) may fall a rounding below low
    return float(value)
