"""SimpleImputer and MissingIndicator, of numbers and of texts."""

from typing import Any

import numpy as np
from sklearn.impute import MissingIndicator, SimpleImputer

from slipway.compile._codes import Missing, plain, text_column
from slipway.compile._draft import Draft, Feature, Features, Raw, Register
from slipway.plans import operations as op
from slipway.plans.columns import TextColumn


def _impute(draft: Draft, model: SimpleImputer, features: Features) -> Features:
    if np.dtype(model._fit_dtype).kind == "f" and model._fit_dtype != np.float64:
        raise draft.no(f"fitted on {model._fit_dtype}")
    missing = plain(model.missing_values)
    # Of an empty feature the statistic is NaN, and it is left out unless it is to be kept.
    statistics = [plain(value) for value in _as_fitted(model)]
    kept = [model.keep_empty_features or value is not Missing.NAN for value in statistics]
    items: list[Feature] = [
        _filled(draft, model, feature, missing, fill)
        for feature, fill, keep in zip(features.items, statistics, kept, strict=True)
        if keep
    ]
    if model.add_indicator:
        items += [
            _indicator(draft, features.items[i], model.missing_values, text=isinstance(statistics[i], str))
            for i in model.indicator_.features_
        ]
    return Features(tuple(items), features.sparse)


def _as_fitted(model: SimpleImputer) -> list[Any]:
    """Return the fill values in the type of the column: of a fraction in whole numbers the rest is cut off."""
    statistics: list[Any] = np.asarray(model.statistics_).tolist()
    if np.dtype(model._fill_dtype).kind not in "iu":
        return statistics
    return [value if plain(value) is Missing.NAN else np.dtype(model._fill_dtype).type(value) for value in statistics]


def _filled(draft: Draft, model: SimpleImputer, feature: Feature, missing: object, fill: object) -> Feature:
    if isinstance(fill, str):
        if not isinstance(feature, Raw):
            raise draft.no("a text in place of a missing number")
        if missing is not Missing.NAN and Missing.NAN not in dict(feature.replaced):
            _refuse_nan(draft, feature)
        return _text_filled(feature, model.missing_values, fill)
    register = draft.number(feature)
    if isinstance(missing, str) or missing is Missing.NONE:
        raise draft.no(f"missing_values={model.missing_values!r} among numbers")
    number = float("nan") if fill is Missing.NAN else fill
    if not isinstance(number, float):
        raise draft.no(f"a fill value of type {type(fill).__name__}")
    if missing is Missing.NAN:
        if np.dtype(model._fit_dtype).kind != "O":
            draft.check_finite([register], nan=True)
        return Register(draft.emit(op.IMPUTE, register, draft.constants([number])))
    draft.check_finite([register])
    assert isinstance(missing, float)
    replaced = draft.emit(op.REPLACE, register, draft.constants([missing, number]))
    if register in draft.whole and number != number:
        draft.whole.add(replaced)
    return Register(replaced)


def _refuse_nan(draft: Draft, feature: Raw) -> None:
    """Refuse NaN among texts: only an imputer that looks for it takes it."""
    is_nan = draft.text(text_column(feature, {Missing.NAN: 0.0}))
    shown = draft.emit(op.LOOK_UP, is_nan, draft.constants([0.0, 1.0]))
    draft.check(op.AT_MOST, shown, "a missing text", draft.constants([0.0]))


def _text_filled(feature: Raw, missing_values: object, fill: str) -> Raw:
    """Return the feature with a fill in place of missing values, also of those that an earlier step put in."""
    sought = _counts_as_missing(missing_values)
    replaced = {old: fill if new in sought else new for old, new in feature.replaced}
    return Raw(feature.column, tuple({**dict.fromkeys(sought, fill), **replaced}.items()))


def _counts_as_missing(missing_values: object) -> tuple[object, ...]:
    """Return the values that count as missing: NaN alone, or None alone; only pandas.NA stands for both."""
    if type(missing_values).__name__ == "NAType":
        return Missing.NONE, Missing.NAN
    return (plain(missing_values),)


def _indicator(draft: Draft, feature: Feature, missing_values: object, *, text: bool) -> Register:
    """Return 1 where a feature is missing, else 0."""
    missing = plain(missing_values)
    if text and isinstance(feature, Raw):
        column: TextColumn = text_column(feature, dict.fromkeys(_counts_as_missing(missing_values), 0.0))
        register = draft.emit(op.LOOK_UP, draft.text(column), draft.constants([0.0, 1.0]))
    elif missing is Missing.NAN:
        register = draft.emit(op.MISSING, draft.number(feature))
    elif isinstance(missing, float):
        register = draft.emit(op.EQUALS, draft.number(feature), draft.constants([missing]))
    else:
        raise draft.no(f"missing_values={missing_values!r} among numbers")
    draft.zero_or_one.add(register)
    return Register(register)


def _indicate(draft: Draft, model: MissingIndicator, features: Features) -> Features:
    if model.sparse is True or features.sparse or plain(model.missing_values) is Missing.NONE:
        raise draft.no("a MissingIndicator of a sparse matrix or of None")
    draft.check_finite(draft.all_numbers(features), nan=plain(model.missing_values) is Missing.NAN)
    items = [_indicator(draft, feature, model.missing_values, text=False) for feature in features.items]
    shown = set(model.features_)
    if model.features == "missing-only" and model.error_on_new:
        for i, item in enumerate(items):
            if i not in shown:
                none = draft.constants([0.0])
                draft.zero_or_one.discard(item.number)
                draft.check(op.AT_MOST, item.number, "a missing value where there was none in training", none)
    chosen = sorted(shown) if model.features == "missing-only" else range(len(items))
    return Features(tuple(items[i] for i in chosen))


IMPUTING: dict[type, Any] = {SimpleImputer: _impute, MissingIndicator: _indicate}
