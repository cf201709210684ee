"""Pipeline, ColumnTransformer, FeatureUnion: steps after and beside each other."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import FeatureUnion, Pipeline

from slipway.compile._draft import Draft, Features, Register
from slipway.plans import operations as op

Transform = Callable[[Draft, Any, Features], Features]


def composition(transform: Transform) -> dict[type, Transform]:
    """Return the compilers of transformers that hold others, which `transform` compiles."""

    def pipeline(draft: Draft, model: Pipeline, features: Features) -> Features:
        return steps(draft, model.steps, features, transform)

    def column_transformer(draft: Draft, model: ColumnTransformer, features: Features) -> Features:
        # Names, slices, masks and selectors were resolved to positions when it was fitted.
        columns = model._transformer_to_input_indices
        weights = model.transformer_weights or {}
        parts = []
        for name, step, _ in model.transformers_:
            if (isinstance(step, str) and step == "drop") or not len(columns[name]):
                continue
            taken = features.take(list(columns[name]))
            with draft.inside(f"'{name}'"):
                part = taken if isinstance(step, str) and step == "passthrough" else transform(draft, step, taken)
                parts.append(_weighted(draft, part, weights.get(name)))
        return _beside(parts, sparse=bool(model.sparse_output_))

    def feature_union(draft: Draft, model: FeatureUnion, features: Features) -> Features:
        weights = model.transformer_weights or {}
        parts = []
        for name, step in model.transformer_list:
            if isinstance(step, str) and step == "drop":
                continue
            with draft.inside(f"'{name}'"):
                part = features if isinstance(step, str) and step == "passthrough" else transform(draft, step, features)
                parts.append(_weighted(draft, part, weights.get(name)))
        return _beside(parts, sparse=any(part.sparse for part in parts))

    return {Pipeline: pipeline, ColumnTransformer: column_transformer, FeatureUnion: feature_union}


def steps(draft: Draft, named: Iterable[tuple[str, Any]], features: Features, transform: Transform) -> Features:
    """Compile transformers one after the other."""
    for name, step in named:
        if step is None or (isinstance(step, str) and step == "passthrough"):
            continue
        with draft.inside(f"'{name}'"):
            features = transform(draft, step, features)
    return features


def _weighted(draft: Draft, features: Features, weight: float | None) -> Features:
    if weight is None:
        return features
    if isinstance(weight, np.generic) and weight.dtype != np.float64:
        raise draft.no(f"a weight of type {weight.dtype}")
    at = draft.constants([weight])
    items = [Register(draft.emit(op.MULTIPLY, register, at)) for register in draft.all_numbers(features)]
    return Features(tuple(items), features.sparse)


def _beside(parts: list[Features], *, sparse: bool) -> Features:
    return Features(tuple(item for part in parts for item in part.items), sparse)
