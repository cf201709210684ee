"""Encoding of frames; apart from `columns`, since a process that answers requests does not import pandas."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from slipway.plans.columns import EXACT, Codes, NumberColumn, RowEncoder
from slipway.plans.texts import Counted, Encoded, EncodedTexts, TermsColumn

_NUMBERS = frozenset(np.dtype(kind) for kind in ("int8", "int16", "int32", "int64", "float64", "bool"))


def encode_frame(encoder: RowEncoder, frame: pd.DataFrame) -> Encoded:
    """Return the encoded rows, (rows, width). Raises LeftToOriginal for a column of another type than the plan reads."""
    values = _values(encoder, frame)
    if not encoder.terms:
        return values
    return EncodedTexts(values, tuple(_counted(encoder, frame.iloc[:, each.column], each) for each in encoder.terms))


def _values(encoder: RowEncoder, frame: pd.DataFrame) -> NDArray[np.float64]:
    out = np.empty((len(frame), encoder.width))
    for i, number in enumerate(encoder.numbers):
        out[:, i] = _numbers(encoder, frame.iloc[:, number.column], number)
    for i, codes in enumerate(encoder.codes, len(encoder.numbers)):
        out[:, i] = _texts(encoder, frame.iloc[:, codes.column.column], codes)
    return out


def _numbers(encoder: RowEncoder, series: pd.Series, number: NumberColumn) -> NDArray[np.float64]:
    kind = series.dtype
    if number.time:
        if not isinstance(kind, np.dtype) or kind.kind != "M":
            raise encoder.left(0, number.column, f"a column of type {kind} where times are read")
        # numpy's mark for no time stays what it is: the smallest int64.
        return series.to_numpy().astype("datetime64[s]").astype(np.int64).astype(np.float64)
    if not isinstance(kind, np.dtype) or kind not in _NUMBERS or (kind == np.bool_ and not number.bools):
        raise encoder.left(0, number.column, f"a column of type {kind} where numbers are read")
    if kind.kind in "iu" and len(series) and (series.max() > EXACT or series.min() < -EXACT):
        row = int(np.flatnonzero((series > EXACT) | (series < -EXACT))[0])
        raise encoder.left(row, number.column, "a whole number beyond 2^53")
    return series.to_numpy().astype(np.float64)


def _counted(encoder: RowEncoder, series: pd.Series, terms: TermsColumn) -> Counted:
    kind = series.dtype
    if not (isinstance(kind, pd.StringDtype | pd.CategoricalDtype) or kind.kind == "O"):
        raise encoder.left(0, terms.column, f"a column of type {kind} where texts are read")
    return encoder.count(terms, series.to_numpy(dtype=object).tolist())


def _texts(encoder: RowEncoder, series: pd.Series, codes: Codes) -> Sequence[float] | NDArray[np.float64]:
    if isinstance(series.dtype, pd.CategoricalDtype):
        known = _texts(encoder, pd.Series(series.cat.categories), codes)
        return np.append(np.asarray(known, dtype=np.float64), codes.column.nan)[series.cat.codes]
    if isinstance(series.dtype, pd.StringDtype) and isinstance(series.dtype.na_value, float):
        places, texts = pd.factorize(series)  # each text is looked up once, and not in each row
        return np.append(encoder.encode_each(codes, texts.tolist()), codes.column.nan)[places]
    if series.dtype != object and not isinstance(series.dtype, pd.StringDtype):
        raise encoder.left(0, codes.column.column, f"a column of type {series.dtype} where texts are read")
    return encoder.encode_each(codes, series.to_numpy(dtype=object).tolist())
