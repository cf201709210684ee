"""The rows of a source that grows, up to a declared moment."""

from datetime import datetime

import numpy as np
import pandas as pd
import pyarrow as pa

from slipway.core.casts import in_plain_form, to_time
from slipway.core.forms import Form
from slipway.errors import DataUnusable


def rows_until(batch: pa.RecordBatch, name: str, moment: datetime, form: Form | None = None) -> pa.RecordBatch:
    """Return the rows whose time is at or before a moment, naive UTC; rows without a time are left out.

    form: the Form in which the column is declared. Raises DataUnusable for a value that is no time.
    """
    given = batch.column(batch.schema.get_field_index(name)).to_pandas()
    times = to_time(in_plain_form(given, form) if form else given)
    wrong = times.isna() & given.notna()
    if wrong.any():
        (value,) = given[wrong].head(1).tolist()
        raise DataUnusable(
            f"column {name}, by which the source is read until a moment, holds {value!r}, which is no time"
        )
    return batch.filter(pa.array(np.asarray(times <= pd.Timestamp(moment))))
