"""Vectorizers of texts compile, and count, weigh and add up terms as scikit-learn does, to the last bit, in any text."""

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.compose import ColumnTransformer, make_column_transformer
from sklearn.decomposition import TruncatedSVD
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestClassifier
from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer, TfidfTransformer, TfidfVectorizer
from sklearn.feature_selection import SelectKBest, chi2, f_regression
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import FunctionTransformer, MaxAbsScaler, StandardScaler

from slipway.compile import Compiled, LeftToOriginal, compile_model, verify
from slipway.errors import NotCompilable
from slipway.plans import opened, stored
from slipway.search.preprocessing._texts import sums_of_terms, terms

WORDS = (
    "The ship leaves at dawn",
    "ÉCLAIR, éclair; Eclair",
    "ab ab ab AB",
    "fog 12:30 -- 4.5 °C 🚢🚢",
    "a b c",
    "",
    "ﬁne\nnew\r\n\tlines  and   blanks ",
    "Straße STRASSE ẞ İstanbul",
    "日本語 テキスト",
    "x" * 300,
    "co-operate don't e-mail@example.org",
    "1 22 333 4444",
)


@cache
def table(rows: int = 240) -> pd.DataFrame:
    """A text of one to three of WORDS a row, a second text, and a number."""
    random = np.random.default_rng(3)
    texts = [" ".join(random.choice(WORDS, size=random.integers(1, 4))) for _ in range(rows)]
    frame = pd.DataFrame({"note": pd.Series(texts, dtype="str"), "title": pd.Series(texts[::-1], dtype="str")})
    return frame.assign(size=random.normal(size=rows))


@cache
def target() -> pd.Series:
    frame = table()
    return frame["note"].str.len() / 50 + frame["note"].str.contains("ship") + frame["size"]


def late() -> pd.Series:
    return (target() > target().median()).astype(int)


def linear(vectorizer: Any) -> Any:
    return make_pipeline(make_column_transformer((vectorizer, "note"), (StandardScaler(), ["size"])), Ridge())


def trees(vectorizer: Any) -> Any:
    columns = make_column_transformer((vectorizer, "note"), (StandardScaler(), ["size"]), sparse_threshold=0)
    return make_pipeline(columns, HistGradientBoostingRegressor(max_iter=10))


VECTORIZERS: dict[str, Callable[[], Any]] = {
    "counts": CountVectorizer,
    "counts of letters in words": lambda: CountVectorizer(analyzer="char_wb", ngram_range=(2, 4), lowercase=False),
    "letters": lambda: CountVectorizer(analyzer="char", ngram_range=(1, 3), binary=True, strip_accents="ascii"),
    "tf-idf": TfidfVectorizer,
    "tf-idf of pairs": lambda: TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, strip_accents="unicode"),
    "pairs alone": lambda: TfidfVectorizer(ngram_range=(2, 3), norm=None, smooth_idf=False),
    "shares": lambda: TfidfVectorizer(analyzer="char_wb", ngram_range=(1, 2), norm="l1", use_idf=False),
    "without stop words": lambda: TfidfVectorizer(stop_words="english", min_df=2, max_df=0.9, ngram_range=(1, 2)),
    "own pattern": lambda: TfidfVectorizer(token_pattern=r"(?u)\b(\w)\w*", binary=True, max_features=9),
    "hashes": lambda: HashingVectorizer(n_features=2**8),
    "hashes that all count": lambda: HashingVectorizer(
        n_features=2**9, alternate_sign=False, norm="l1", analyzer="char_wb", ngram_range=(2, 4)
    ),
    "hashes that count once": lambda: HashingVectorizer(n_features=50, binary=True, norm=None, stop_words="english"),
    "weighed hashes": lambda: make_pipeline(HashingVectorizer(n_features=2**8), TfidfTransformer(norm="l1")),
    "weighed counts": lambda: make_pipeline(CountVectorizer(), TfidfTransformer(sublinear_tf=True)),
    "selected": lambda: make_pipeline(
        TfidfVectorizer(analyzer="char", ngram_range=(1, 2)), SelectKBest(f_regression, k=9)
    ),
    "scaled": lambda: make_pipeline(CountVectorizer(), MaxAbsScaler()),
    "sums": lambda: make_pipeline(TfidfVectorizer(), TruncatedSVD(8, random_state=0)),
    "words and letters": lambda: FeatureUnion(
        [("words", TfidfVectorizer()), ("letters", TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 4)))],
        transformer_weights={"words": 0.5},
    ),
}
FAMILIES = {"linear": linear, "trees": trees}


@cache
def fitted(name: str, family: str) -> tuple[Any, Compiled]:
    model = FAMILIES[family](VECTORIZERS[name]()).fit(table()[["note", "size"]], target())
    return model, compile_model(model)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("name", VECTORIZERS)
def test_a_plan_answers_what_the_pipeline_answers_to_the_last_bit(name: str, family: str) -> None:
    model, compiled = fitted(name, family)
    frame = table()[list(compiled.inputs)]
    np.testing.assert_array_equal(compiled.predict(compiled.encode_frame(frame)), model.predict(frame))
    agreement = verify(model, compiled, frame.head(40), rows=150)
    assert agreement.equal, agreement.problems


@pytest.mark.parametrize("name", VECTORIZERS)
def test_a_plan_of_texts_is_the_same_written_down_and_opened(name: str) -> None:
    model, compiled = fitted(name, "linear")
    content = stored(compiled)
    again = opened(content)
    assert stored(again) == stored(compile_model(model)) == content
    frame = table()[list(compiled.inputs)]
    np.testing.assert_array_equal(again.predict(again.encode_frame(frame)), model.predict(frame))


odd_texts = st.text(max_size=40) | st.sampled_from(WORDS) | st.text(alphabet="aA bB éß1_.-'\n\t🚢", max_size=60)


@given(texts=st.lists(odd_texts, min_size=1, max_size=3), name=st.sampled_from(sorted(VECTORIZERS)))
def test_any_text_is_read_as_scikit_learn_reads_it(texts: list[str], name: str) -> None:
    model, compiled = fitted(name, "linear")
    frame = pd.DataFrame({"note": pd.Series(texts, dtype=object), "size": 0.5})
    try:
        answer = compiled.predict(compiled.encode([(text, 0.5) for text in texts]))
    except LeftToOriginal:  # half of a character has no bytes that could be hashed
        with pytest.raises(UnicodeEncodeError):
            model.predict(frame)
        return
    np.testing.assert_array_equal(answer, model.predict(frame))


@cache
def of_slipway() -> tuple[Any, Compiled]:
    columns = ColumnTransformer([("text 0", terms(), ["note"]), ("text 1", sums_of_terms(), ["title"])])
    model = make_pipeline(columns, LogisticRegression()).fit(table()[["note", "title"]], late())
    return model, compile_model(model)


@given(rows=st.lists(st.tuples(st.none() | odd_texts, st.none() | odd_texts), min_size=1, max_size=3))
def test_slipways_own_encoding_takes_missing_texts_as_empty_alone_and_among_others(
    rows: list[tuple[str | None, str | None]],
) -> None:
    model, compiled = of_slipway()
    frame = pd.DataFrame(rows, columns=["note", "title"], dtype=object)
    try:
        answer = compiled.predict_proba(compiled.encode(rows))
    except LeftToOriginal:
        with pytest.raises(UnicodeEncodeError):
            model.predict(frame)
        return
    np.testing.assert_array_equal(answer, model.predict_proba(frame))


def test_a_text_that_comes_again_and_rows_that_are_cut_out_have_the_same_counts() -> None:
    model, compiled = of_slipway()
    frame = pd.concat([table().head(7)] * 700, ignore_index=True)[list(compiled.inputs)]
    encoded = compiled.encode_frame(frame)  # 4,900 rows: more than a block
    wanted = model.predict_proba(frame)
    np.testing.assert_array_equal(compiled.predict_proba(encoded), wanted)
    np.testing.assert_array_equal(compiled.predict_proba(encoded[3:9]), wanted[3:9])
    np.testing.assert_array_equal(compiled.predict_proba(encoded[np.array([8, 1, 1])]), wanted[[8, 1, 1]])
    same = (frame["note"] == frame["note"][0]).to_numpy()
    np.testing.assert_array_equal(compiled.predict_proba(encoded[same]), wanted[same])
    assert not compiled.refused(encoded[:20]).any()


def test_texts_of_a_frame_may_be_objects_or_categories() -> None:
    model, compiled = of_slipway()
    for kind in (object, "category", "str"):
        frame = table().head(9)[list(compiled.inputs)].astype(kind)
        np.testing.assert_array_equal(compiled.predict(compiled.encode_frame(frame)), model.predict(frame))


@pytest.mark.parametrize("value", [7, 1.5, True, ["a"]])
def test_what_is_no_text_is_left_to_the_original(value: object) -> None:
    _, compiled = of_slipway()
    with pytest.raises(
        LeftToOriginal, match=rf"row 1: column 'title' holds a {type(value).__name__} where a text is read"
    ):
        compiled.encode([("a", "b"), ("a", value)])


def test_a_very_long_text_is_left_to_the_original() -> None:
    _, compiled = of_slipway()
    assert len(compiled.encode([("long " * 13_000, "b")])) == 1
    with pytest.raises(LeftToOriginal, match="row 0: column 'note' holds a text of more than 65536 characters"):
        compiled.encode([("long " * 14_000, "b")])


def test_a_missing_text_is_left_to_the_original_where_no_step_fills_it() -> None:
    model, compiled = fitted("tf-idf", "linear")
    with pytest.raises(LeftToOriginal, match="column 'note' holds a missing value where a text is read"):
        compiled.encode([(None, 1.0)])
    with pytest.raises((ValueError, AttributeError)):
        model.predict(pd.DataFrame({"note": [None], "size": [1.0]}))


def test_other_texts_than_missing_ones_are_filled_too() -> None:
    fill = SimpleImputer(strategy="constant", fill_value="ship fog", missing_values="")
    model = make_pipeline(
        make_column_transformer((make_pipeline(fill, FunctionTransformer(np.ravel), CountVectorizer()), ["note"])),
        Ridge(),
    ).fit(table()[["note"]], target())
    compiled = compile_model(model)
    frame = pd.DataFrame({"note": pd.Series(["", "ship", "fog"], dtype="str")})
    np.testing.assert_array_equal(compiled.predict(compiled.encode_frame(frame)), model.predict(frame))


def _shout(text: str) -> str:
    return text.upper()


@pytest.mark.parametrize(
    ("step", "why"),
    [
        (TfidfVectorizer(preprocessor=_shout), "a function as preprocessor"),
        (CountVectorizer(tokenizer=str.split, token_pattern=None), "a function as tokenizer"),
        (CountVectorizer(analyzer=str.split), "a function as analyzer"),
        (TfidfVectorizer(strip_accents=_shout), "a function as strip_accents"),
        (TfidfVectorizer(dtype=np.float32), "dtype=float32"),
        (HashingVectorizer(), "n_features=1048576"),
        (
            make_pipeline(HashingVectorizer(n_features=64), SelectKBest(f_regression, k=9), TfidfTransformer()),
            "one vectorizer",
        ),
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_what_a_plan_does_not_follow_is_left_to_the_pipeline_with_the_reason(step: Any, why: str) -> None:
    model = make_pipeline(make_column_transformer((step, "note")), Ridge()).fit(table(), target())
    with pytest.raises(NotCompilable, match=why):
        compile_model(model)


def test_selected_terms_alone_have_registers() -> None:
    vectorizer = make_pipeline(CountVectorizer(analyzer="char", ngram_range=(1, 3)), SelectKBest(chi2, k=5))
    columns = make_column_transformer((vectorizer, "note"), sparse_threshold=0)
    compiled = compile_model(make_pipeline(columns, RandomForestClassifier(5)).fit(table(), late()))
    assert compiled.program.width < 20
