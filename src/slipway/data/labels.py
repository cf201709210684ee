"""Rows with a known target.

A target that may be missing leaves rows without it to nobody: no model can be fitted or scored on them.
"""

import pandas as pd

from slipway.core.spec import ColumnType, Data


def labelled(frame: pd.DataFrame, data: Data) -> tuple[pd.DataFrame, int]:
    """Return the rows whose target is known, numbered anew, and how many rows are without a target.

    The target has the type of a column that is never missing again. A target that is promised never to be missing leaves the
    frame as it is.
    """
    target = data.columns[data.target]
    if not target.nulls:
        return frame, 0
    known = frame[data.target].notna()
    kept = frame[known].reset_index(drop=True)
    if target.type is ColumnType.INT:
        kept[data.target] = kept[data.target].astype("int64")
    elif target.type is ColumnType.BOOL:
        kept[data.target] = kept[data.target].astype("bool")
    return kept, int((~known).sum())
