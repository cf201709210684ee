"""The codes of categories: found by a dictionary where categories are texts, by a search where they are numbers."""

import math
from enum import Enum
from typing import Any

import numpy as np

from slipway.compile._draft import Draft, Feature, Raw
from slipway.plans import operations as op
from slipway.plans.columns import UNKNOWN, TextColumn


class Missing(Enum):
    """The two ways in which a text is missing; to scikit-learn they are two categories."""

    NONE = "None"
    NAN = "NaN"


def plain(value: object) -> object:
    """Return a category or a fill value as a str, a float or a Missing."""
    if value is None:
        return Missing.NONE
    if isinstance(value, str):
        return str(value)
    if isinstance(value, bool | int | float | np.bool_ | np.integer | np.floating):
        return Missing.NAN if math.isnan(value) else float(value)
    return Missing.NAN if type(value).__name__ == "NAType" else value


def code(draft: Draft, feature: Feature, categories: Any) -> int:
    """Return the register of a feature's position in `categories`, -1 for none of them."""
    values = [plain(category) for category in categories]
    positions = {value: float(i) for i, value in enumerate(values)}
    known = [value for value in values if not isinstance(value, Missing)]
    if np.asarray(categories).dtype.kind in "biuf" or (known and all(isinstance(value, float) for value in known)):
        return _number_code(draft, feature, positions)
    if not all(isinstance(value, str) for value in known):
        raise draft.no("categories that are neither all texts nor all numbers")
    if not isinstance(feature, Raw):
        raise draft.no("categories that are texts, of a feature that is a number")
    return draft.text(text_column(feature, positions))


def text_column(feature: Raw, positions: dict[object, float]) -> TextColumn:
    """Return a column whose texts are encoded by their position, after the column's replacements."""
    codes = {value: position for value, position in positions.items() if isinstance(value, str)}
    none, nan = positions.get(Missing.NONE, UNKNOWN), positions.get(Missing.NAN, UNKNOWN)
    for old, new in feature.replaced:
        position = positions.get(new, UNKNOWN)
        if old is Missing.NONE:
            none = position
        elif old is Missing.NAN:
            nan = position
        else:
            codes[str(old)] = position
    return TextColumn(feature.column, tuple(codes.items()), none, nan)


def _number_code(draft: Draft, feature: Feature, positions: dict[object, float]) -> int:
    if Missing.NONE in positions:
        raise draft.no("None among categories that are numbers")
    register = draft.number(feature)
    draft.check_finite([register], nan=True)
    numbers = sorted((value, position) for value, position in positions.items() if isinstance(value, float))
    at = draft.constants([positions.get(Missing.NAN, UNKNOWN), *(n for n, _ in numbers), *(p for _, p in numbers)])
    return draft.emit(op.SEARCH, register, at, len(numbers))
