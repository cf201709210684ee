"""The encoding of categories: by codes, or by a column of 0 and 1 for each."""

import numpy as np
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder

# HistGradientBoosting takes 255 categories a column at most, one of which is kept for the rare ones.
_MOST_CATEGORIES = 254


def codes() -> OrdinalEncoder:
    """Return an encoder that gives each category a number, and NaN to unknown and missing ones."""
    return OrdinalEncoder(
        handle_unknown="use_encoded_value",
        unknown_value=np.nan,
        encoded_missing_value=np.nan,
        max_categories=_MOST_CATEGORIES,
    )


def one_hot() -> OneHotEncoder:
    """Return an encoder that gives each category a column of its own, and rare ones a column together."""
    return OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=20, sparse_output=False)
