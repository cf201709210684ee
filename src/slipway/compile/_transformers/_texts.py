"""Vectorizers of texts: counts of terms, weighed; and TruncatedSVD, which makes a few sums of them."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer, TfidfTransformer, TfidfVectorizer

from slipway.compile._codes import Missing
from slipway.compile._draft import Draft, Features, Raw, Register, Term, TermMatrix
from slipway.plans.kernels import L1, L2
from slipway.plans.terms import Weighing
from slipway.plans.texts import Analysis, TermsColumn

_NORMS = {None: 0, "l1": L1, "l2": L2}
_NO_IDF = np.zeros(0)
_MOST_HASHES = 1 << 18


def _counts(draft: Draft, model: CountVectorizer, features: Features) -> Features:
    return _matrix(draft, _known(draft, model, features), ())


def _tf_idf(draft: Draft, model: TfidfVectorizer, features: Features) -> Features:
    return _matrix(draft, _known(draft, model, features), (_weighing(draft, model._tfidf),))


def _hashes(draft: Draft, model: HashingVectorizer, features: Features) -> Features:
    if model.n_features > _MOST_HASHES:
        raise draft.no(f"n_features={model.n_features}; a plan has a number for each, so {_MOST_HASHES} at most")
    column = _column(draft, model, features, hashed=int(model.n_features), signed=bool(model.alternate_sign))
    norm = _NORMS[model.norm]
    return _matrix(draft, column, (Weighing(False, _NO_IDF, norm),) if norm else ())


def _weighed(draft: Draft, model: TfidfTransformer, features: Features) -> Features:
    matrix = _whole_matrix(draft, features)
    column = list(draft.terms)[matrix.column]
    if model.sublinear_tf and column.signed:
        raise draft.no("sublinear_tf of counts that may be negative")
    return _of(TermMatrix(matrix.column, matrix.width, (*matrix.weighings, _weighing(draft, model))))


def _svd(draft: Draft, model: TruncatedSVD, features: Features) -> Features:
    return Features(
        tuple(map(Register, draft.term_sums(_whole_matrix(draft, features), _wide(draft, model.components_).T)))
    )


def _weighing(draft: Draft, model: TfidfTransformer) -> Weighing:
    # The factors are there wherever the transformer was fitted with use_idf, whatever it says now.
    idf = _wide(draft, model.idf_) if hasattr(model, "idf_") else _NO_IDF
    return Weighing(bool(model.sublinear_tf), idf, _NORMS[model.norm])


def _known(draft: Draft, model: CountVectorizer, features: Features) -> TermsColumn:
    vocabulary: Mapping[str, int] = model.vocabulary_
    terms = sorted(vocabulary, key=vocabulary.__getitem__)
    if [int(vocabulary[term]) for term in terms] != list(range(len(terms))):
        raise draft.no("a vocabulary in which an index is missing, or has two terms")
    return _column(draft, model, features, vocabulary=tuple(map(str, terms)))


def _column(draft: Draft, model: Any, features: Features, **indices: Any) -> TermsColumn:
    if np.dtype(model.dtype) not in (np.dtype(np.float64), np.dtype(np.int64)):
        raise draft.no(
            f"dtype={np.dtype(model.dtype)}: what comes after computes in it, and a plan computes in float64"
        )
    if len(features.items) != 1 or not isinstance(feature := features.items[0], Raw):
        raise draft.no("texts that are not one column of the table")
    none, nan, replaced = _replaced(draft, feature)
    rest = {"vocabulary": (), "hashed": 0, "signed": False, **indices}
    return TermsColumn(feature.column, _analysis(draft, model), replaced, none, nan, binary=bool(model.binary), **rest)


def _replaced(draft: Draft, feature: Raw) -> tuple[str | None, str | None, tuple[tuple[str, str], ...]]:
    """Return the texts in place of None and of NaN, and those in place of others."""
    places = dict(feature.replaced)
    if not all(isinstance(new, str) for new in places.values()):
        raise draft.no("texts that are replaced by something else than texts")
    texts = tuple((old, str(new)) for old, new in places.items() if isinstance(old, str))
    none, nan = places.get(Missing.NONE), places.get(Missing.NAN)
    return None if none is None else str(none), None if nan is None else str(nan), texts


def _analysis(draft: Draft, model: Any) -> Analysis:
    for name in ("analyzer", "preprocessor", "tokenizer", "strip_accents"):
        if callable(getattr(model, name)):
            raise draft.no(f"a function as {name}")
    if model.input != "content":
        raise draft.no(f"input='{model.input}'")
    least, most = model.ngram_range
    words = model.analyzer == "word"
    return Analysis(
        unit=str(model.analyzer),
        lowercase=bool(model.lowercase),
        accents=model.strip_accents or "",
        pattern=str(model.token_pattern) if words else "",
        least=int(least),
        most=int(most),
        stop_words=tuple(sorted(model.get_stop_words() or ())) if words else (),
    )


def _matrix(draft: Draft, column: TermsColumn, weighings: tuple[Weighing, ...]) -> Features:
    return _of(TermMatrix(draft.term_column(column), column.hashed or len(column.vocabulary), weighings))


def _of(matrix: TermMatrix) -> Features:
    return Features(tuple(Term(matrix, index) for index in range(matrix.width)), sparse=True)


def _whole_matrix(draft: Draft, features: Features) -> TermMatrix:
    """Return the matrix whose terms the features are, all of them in their order."""
    first = features.items[0]
    if features.sparse and isinstance(first, Term) and features.items == _of(first.matrix).items:
        return first.matrix
    raise draft.no("features that are not the terms of one vectorizer")


def _wide(draft: Draft, values: NDArray[Any]) -> NDArray[np.float64]:
    if values.dtype != np.float64:
        raise draft.no(f"numbers of type {values.dtype}")
    return np.ascontiguousarray(values)


TEXTS: dict[type, Any] = {
    CountVectorizer: _counts,
    HashingVectorizer: _hashes,
    TfidfTransformer: _weighed,
    TfidfVectorizer: _tf_idf,
    TruncatedSVD: _svd,
}
