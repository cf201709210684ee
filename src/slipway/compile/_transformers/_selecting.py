"""Selectors of features, whatever they select by."""

from typing import Any

import numpy as np
from sklearn.utils import get_tags

from slipway.compile._draft import Draft, Features, Term


def select(draft: Draft, model: Any, features: Features) -> Features:
    """Return the features that a fitted selector lets through; the selector checks all of them first, and so does the plan."""
    if not get_tags(model).input_tags.allow_nan:  # one that takes gaps takes infinities too
        # Counts of terms are never missing: those that are not selected are not computed.
        draft.check_finite([draft.number(each) for each in features.items if not isinstance(each, Term)])
    return features.take(np.flatnonzero(model.get_support()).tolist())
