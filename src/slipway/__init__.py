"""Slipway takes a tabular problem from an experiment to a live REST endpoint on MLflow, and keeps the endpoint healthy.

`from slipway import Experiment, Model` is for notebooks and scripts; docs/api.md tells of both.
"""

from typing import TYPE_CHECKING, Any

from slipway.version import __version__

__all__ = ["Experiment", "Model", "__version__"]


if TYPE_CHECKING:
    from slipway.api import Experiment, Model
else:

    def __getattr__(name: str) -> Any:
        # Late, since every command and every process of an endpoint imports this package first.
        if name in ("Experiment", "Model"):
            from slipway import api

            return getattr(api, name)
        raise AttributeError(f"module 'slipway' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
