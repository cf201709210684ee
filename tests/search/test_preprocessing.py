import warnings
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import issparse
from sklearn.ensemble import GradientBoostingClassifier, HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression, PoissonRegressor
from sklearn.tree import DecisionTreeClassifier

from slipway.core.spec import Data, Experiment
from slipway.search.preprocessing import with_preprocessing

KINDS = [
    HistGradientBoostingClassifier(max_iter=5),
    RandomForestClassifier(5),
    DecisionTreeClassifier(),
    LogisticRegression(),
]


MANY = 400


def many(count: int) -> pd.Series:
    return pd.Series([f"p{i % MANY}" for i in range(count)], dtype="str")


@pytest.fixture
def data(declare: Callable[..., Experiment]) -> Data:
    columns = {
        "late": {"type": "int"},
        "minutes": {"type": "float", "nulls": 0.5},
        "count": {"type": "int"},
        "port": {"type": "category", "nulls": 0.5},
        "holiday": {"type": "bool"},
        "remark": {"type": "text", "feature": False},
        "when": {"type": "datetime"},
    }
    return declare(data={"source": {"csv": "a.csv"}, "target": "late", "columns": columns}).data


def rows(count: int = 200) -> pd.DataFrame:
    """Rows as the contract casts them; whether a row is late is told by its port alone."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "late": np.arange(count) % 2,
            "minutes": np.where(rng.random(count) < 0.2, np.nan, rng.normal(50, 9, count)),
            "count": rng.integers(0, 5, count),
            "port": pd.Series(["A", "B"] * (count // 2), dtype="str"),
            "holiday": rng.random(count) < 0.5,
            "remark": pd.Series(["fog"] * count, dtype="str"),
            "when": pd.Timestamp("2013-01-01"),
        }
    )
    frame.loc[::10, "port"] = None
    return frame


@pytest.mark.parametrize("estimator", KINDS, ids=lambda e: type(e).__name__)
def test_every_kind_of_estimator_learns_from_categories_and_numbers_with_missing_values(estimator, data: Data) -> None:
    frame = rows()
    pipeline = with_preprocessing(estimator, data).fit(frame[list(data.features)], frame["late"])
    known = frame[frame["port"].notna()]
    assert (pipeline.predict(known[list(data.features)]) == known["late"]).mean() > 0.95


@pytest.mark.parametrize("estimator", KINDS, ids=lambda e: type(e).__name__)
def test_unknown_categories_and_missing_values_are_never_an_error(estimator, data: Data) -> None:
    frame = rows()
    pipeline = with_preprocessing(estimator, data).fit(frame[list(data.features)], frame["late"])
    strange = frame[list(data.features)].head(3).assign(port=pd.Series(["Z", None, "A"], dtype="str"), minutes=np.nan)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Found unknown categories")
        assert np.isfinite(pipeline.predict_proba(strange)).all()


def test_boosting_gets_categories_as_codes_first_and_numbers_as_they_are(data: Data) -> None:
    pipeline = with_preprocessing(HistGradientBoostingClassifier(max_iter=2), data)
    frame = rows()
    seen = pipeline[0].fit_transform(frame[list(data.features)])
    assert pipeline[-1].categorical_features == [0]
    assert list(pipeline[0].output_indices_)[:4] == ["categories", "numbers", "flags", "calendar 0"]
    assert np.isnan(seen[0, 0]) and set(seen[1:10, 0]) == {0.0, 1.0}
    assert seen.dtype == float
    assert np.array_equal(seen[:, 1:4], frame[["minutes", "count", "holiday"]].astype(float), equal_nan=True)


def test_an_estimator_that_allows_missing_numbers_gets_them_as_they_are(data: Data) -> None:
    frame = rows()
    seen = with_preprocessing(RandomForestClassifier(), data)[0].fit_transform(frame[list(data.features)])
    # A, B, missing, three numbers, and five parts of a time
    assert seen.shape == (200, 11) and np.isnan(seen).any()


def test_a_linear_model_gets_imputed_and_scaled_numbers(data: Data) -> None:
    frame = rows()
    seen = with_preprocessing(LogisticRegression(), data)[0].fit_transform(frame[list(data.features)])
    assert np.isfinite(seen).all()
    assert np.allclose(seen[:, 3:5].mean(axis=0), 0) and np.allclose(seen[:, 3:5].std(axis=0), 1)
    assert np.array_equal(seen[:, 5], frame["holiday"])


def test_text_and_what_is_no_feature_are_left_out(data: Data) -> None:
    columns = [name for _, _, names in with_preprocessing(LogisticRegression(), data)[0].transformers for name in names]
    assert columns == ["port", "minutes", "count", "holiday", "when"]


def test_a_linear_model_gets_the_parts_that_recur_as_categories(data: Data) -> None:
    frame = rows(1200).assign(when=pd.date_range("2013-01-01", periods=1200, freq="7h"))
    pipeline = with_preprocessing(LogisticRegression(), data).fit(frame[list(data.features)], frame["late"])
    (calendar,) = (step for name, step, _ in pipeline[0].transformers_ if name == "calendar 0")
    encoded = calendar.transform(frame[["when"]])
    assert encoded.shape == (1200, 12 + 7 + 24 + 3)
    assert set(encoded[:, :43].ravel()) == {0.0, 1.0} and np.allclose(encoded[:, 43:].mean(axis=0), 0)


@pytest.mark.parametrize("estimator", KINDS, ids=lambda e: type(e).__name__)
def test_times_that_are_missing_at_the_fit_or_later_are_never_an_error(estimator, data: Data) -> None:
    frame = rows()
    none_known = isinstance(estimator, HistGradientBoostingClassifier)  # it refuses any column without a value
    for fitted_on in (*[pd.NaT] * (not none_known), pd.Timestamp("2013-05-01")):
        frame["when"] = pd.Series(fitted_on, index=frame.index, dtype="datetime64[us]")
        pipeline = with_preprocessing(estimator, data)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "(Skipping features|Found unknown categories)")
            pipeline.fit(frame[list(data.features)], frame["late"])
            asked = frame[list(data.features)].head(3).assign(when=pd.Series([pd.NaT] * 3, dtype="datetime64[ns]"))
            assert np.isfinite(pipeline.predict_proba(asked)).all()


def test_rare_categories_are_grouped_rather_than_too_many_for_boosting(data: Data) -> None:
    frame = rows(1200).assign(port=many(1200))
    pipeline = with_preprocessing(HistGradientBoostingClassifier(max_iter=2), data)
    pipeline.fit(frame[list(data.features)], frame["late"])
    codes = pipeline[0].transform(frame[list(data.features)])[:, 0]
    assert len(np.unique(codes)) == 254


@pytest.mark.parametrize(
    "estimator", [HistGradientBoostingClassifier(max_iter=2), LogisticRegression()], ids=["boosting", "linear"]
)
@pytest.mark.parametrize(
    ("kind", "name", "nulls"),
    [("float", "minutes", 0.5), ("category", "port", 0.5), ("bool", "holiday", 0), ("datetime", "when", 0.5)],
)
def test_columns_of_one_type_alone_are_enough(
    declare: Callable[..., Experiment], estimator, kind: str, name: str, nulls: float
) -> None:
    columns = {"late": {"type": "int"}, name: {"type": kind, "nulls": nulls}}
    data = declare(data={"source": {"csv": "a.csv"}, "target": "late", "columns": columns}).data
    frame = rows()
    assert len(with_preprocessing(estimator, data).fit(frame[[name]], frame["late"]).predict(frame[[name]])) == 200


def test_boosting_gets_columns_of_many_categories_as_means_of_the_target_and_those_of_few_as_codes(data: Data) -> None:
    columns = {**{name: column.model_dump() for name, column in data.columns.items()}, "tail": {"type": "category"}}
    both = Data.model_validate({**data.model_dump(by_alias=True), "columns": columns})
    frame = rows(1200).assign(tail=many(1200))
    pipeline = with_preprocessing(HistGradientBoostingClassifier(max_iter=20), both, frame)
    pipeline.fit(frame[list(both.features)], frame["late"])
    seen = pipeline[0].transform(frame[list(both.features)])
    assert pipeline[-1].categorical_features == [0]
    assert [part[0] for part in pipeline[0].transformers][:4] == ["categories", "many categories", "numbers", "flags"]
    assert seen.shape[0] == 1200
    assert ((seen[:, 1] > 0.5) == (frame["late"] == 1)).all()  # p0, p2, … are never late


@pytest.mark.parametrize("estimator", KINDS, ids=lambda e: type(e).__name__)
def test_many_categories_are_learned_from_by_every_kind_of_estimator(estimator, data: Data) -> None:
    frame = rows(1200).assign(port=many(1200))
    features = list(data.features)
    pipeline = with_preprocessing(estimator, data, frame).fit(frame[features], frame["late"])
    assert np.isfinite(
        pipeline.predict_proba(frame[features].assign(port=pd.Series(["new"] * 1200, dtype="str")))
    ).all()
    assert (pipeline.predict(frame[features]) == frame["late"]).mean() > 0.95


def test_of_many_categories_a_hundred_have_columns_at_most(data: Data) -> None:
    frame = rows(9000).assign(port=many(9000))  # 400 categories, each in more than 20 rows
    pipeline = with_preprocessing(LogisticRegression(), data, frame).fit(frame[list(data.features)], frame["late"])
    assert pipeline[0].transform(frame[list(data.features)].head(2)).shape[1] > 100 + 1 + 3


def test_means_of_a_count_are_of_its_number_not_of_each_value_as_a_class(data: Data) -> None:
    frame = rows(1200).assign(port=many(1200))
    pipeline = with_preprocessing(PoissonRegressor(), data, frame).fit(frame[list(data.features)], frame["count"])
    assert pipeline[0].named_transformers_["many categories"]["means"][0].target_type_ == "continuous"


TEXT = {"late": {"type": "int"}, "remark": {"type": "text", "nulls": 0.5}}


def remarks(count: int = 200) -> pd.DataFrame:
    """Rows whose remark tells whether they are late, in words that differ in their endings and capitals."""
    words = ["Fog over the bay", "foggy again", "FOG", "clear sky", "Clearing up", "skies are clear"]
    frame = pd.DataFrame({"remark": pd.Series([words[i % 6] + f" {i % 7}" for i in range(count)], dtype="str")})
    frame["late"] = (np.arange(count) % 6 < 3).astype(int)
    frame.loc[::10, "remark"] = None
    return frame


@pytest.fixture
def texts(declare: Callable[..., Experiment]) -> Data:
    return declare(data={"source": {"csv": "a.csv"}, "target": "late", "columns": TEXT}).data


@pytest.mark.parametrize(
    "estimator", [*KINDS, GradientBoostingClassifier(n_estimators=9)], ids=lambda e: type(e).__name__
)
def test_every_kind_of_estimator_learns_from_a_text(estimator, texts: Data) -> None:
    frame = remarks()
    pipeline = with_preprocessing(estimator, texts).fit(frame[["remark"]], frame["late"])
    known = frame[frame["remark"].notna()]
    assert (pipeline.predict(known[["remark"]]) == known["late"]).mean() > 0.95
    new = pd.DataFrame({"remark": pd.Series(["foggy in the bay 12", "clear sky 12"], dtype="str")})
    assert pipeline.predict(new).tolist() == [1, 0]


STRANGE = ([None], [None, None], [np.nan], [None, "fog"], [""], ["\n \t"], ["🚢" * 5000])


@pytest.mark.parametrize("estimator", [KINDS[0], KINDS[-1]], ids=["boosting", "linear"])
def test_missing_empty_and_strange_texts_are_never_an_error(estimator, texts: Data) -> None:
    frame = remarks(60)
    pipeline = with_preprocessing(estimator, texts).fit(frame[["remark"]], frame["late"])
    for values in STRANGE:
        asked = pd.DataFrame({"remark": pd.Series(values, dtype=object)})
        assert np.isfinite(pipeline.predict_proba(asked)).all()


def test_trees_get_few_dense_numbers_of_a_text_and_linear_models_many_that_are_mostly_zero(texts: Data) -> None:
    frame = remarks()
    trees = with_preprocessing(HistGradientBoostingClassifier(), texts)[0].fit_transform(frame[["remark"]])
    linear = with_preprocessing(LogisticRegression(), texts)[0].fit_transform(frame[["remark"]])
    assert isinstance(trees, np.ndarray) and trees.shape == (200, 30)
    assert issparse(linear) and linear.shape == (200, 2**14)


@pytest.mark.filterwarnings("ignore:.* encountered in divide")  # of the share of no variance
@pytest.mark.parametrize("words", [["A"], ["A", "B"], ["!"], ["", " "], [None]])
def test_texts_of_one_character_or_none_are_enough_to_fit(words: list[str | None], texts: Data) -> None:
    frame = pd.DataFrame({"remark": pd.Series((words * 40)[:40], dtype="str"), "late": np.arange(40) % 2})
    for estimator in (HistGradientBoostingClassifier(max_iter=2), LogisticRegression()):
        assert (
            len(with_preprocessing(estimator, texts).fit(frame[["remark"]], frame["late"]).predict(frame[["remark"]]))
            == 40
        )


def test_two_thousand_numbers_have_one_transformer(declare: Callable[..., Experiment]) -> None:
    columns = {"late": {"type": "int"}} | {f"x{i}": {"type": "float"} for i in range(2000)}
    data = declare(data={"source": {"csv": "a.csv"}, "target": "late", "columns": columns}).data
    assert len(with_preprocessing(LogisticRegression(), data)[0].transformers) == 1
