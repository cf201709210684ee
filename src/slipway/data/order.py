"""The order of rows, by their content: a database and a folder give them in any order.

A split at random cuts by position, and so do folds and the samples of a search. With one order of the same rows, a table
gives the same parts and the same winner wherever it is kept.
"""

import numpy as np
import pandas as pd

from slipway.core.spec import Data


def in_order(frame: pd.DataFrame, data: Data) -> pd.DataFrame:
    """Return the rows in the order of their time, if they have one, and of the hash of their id; without an id, of all values.

    Each row keeps the number that it had in the source as its index. By the id, the order does not change with the other
    columns: a declaration with one more feature is measured on the same test rows.
    """
    columns = [data.id] if data.id else sorted(frame.columns)
    keys = pd.util.hash_pandas_object(frame[columns], index=False).to_numpy()
    return frame.iloc[np.lexsort((keys, frame[data.time])) if data.time else np.argsort(keys, kind="stable")]
