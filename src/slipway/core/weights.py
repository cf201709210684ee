"""The weights of rows: `data.weight` says how much each row counts, in every fit and in every score."""

from dataclasses import replace

import pandas as pd

from slipway.core.spec import Data
from slipway.core.statistics.metrics import Array, Outcome


def weights_of(rows: pd.DataFrame, data: Data) -> Array | None:
    """Return how much each row counts, (rows,); None where no weight is declared, and every row counts once."""
    return rows[data.weight].to_numpy(dtype="float64") if data.weight else None


def weighted(outcome: Outcome, rows: pd.DataFrame, data: Data) -> Outcome:
    """Return an Outcome in which each row counts as `data.weight` says; `rows` are those of the Outcome, in its order."""
    return replace(outcome, weights=weights_of(rows, data))
