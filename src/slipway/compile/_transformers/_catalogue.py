"""The catalogue of transformers, with the function that compiles each."""

from collections.abc import Callable
from typing import Any

from sklearn.feature_selection import SelectorMixin

from slipway.compile._draft import Draft, Features
from slipway.compile._transformers._categories import CATEGORIES
from slipway.compile._transformers._composition import composition
from slipway.compile._transformers._expanding import EXPANDING
from slipway.compile._transformers._functions import FUNCTIONS
from slipway.compile._transformers._imputing import IMPUTING
from slipway.compile._transformers._scaling import SCALING
from slipway.compile._transformers._selecting import select
from slipway.compile._transformers._texts import TEXTS

Compiler = Callable[[Draft, Any, Features], Features]


def transform(draft: Draft, transformer: Any, features: Features) -> Features:
    """Add a fitted transformer to the draft and return the features that it gives. Raises NotCompilable."""
    compiler = TRANSFORMERS.get(type(transformer))
    if (
        compiler is None
        and isinstance(transformer, SelectorMixin)
        and type(transformer).__module__.startswith("sklearn.")
    ):
        compiler = select
    if compiler is None:
        raise draft.no(f"there is no plan for a {type(transformer).__module__}.{type(transformer).__name__}")
    return compiler(draft, transformer, features)


TRANSFORMERS: dict[type, Compiler] = {
    **composition(transform),
    **CATEGORIES,
    **EXPANDING,
    **FUNCTIONS,
    **IMPUTING,
    **SCALING,
    **TEXTS,
}
"""By exact type: a subclass may do anything. Selectors of scikit-learn are known by what they select."""
