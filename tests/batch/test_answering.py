"""A file scored through the compiled model, beside what the model itself answers to the same rows."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from slipway.batch import ScoredFile, conform, score_file
from slipway.batch.answering import PIECE_ROWS, PLANNED_FROM
from slipway.batch.files import CHUNK_ROWS
from slipway.core.spec import source_at
from slipway.errors import FileUnusable
from slipway.sources import open_table

pytestmark = pytest.mark.slow  # the file, more than each of its tests

ROWS = CHUNK_ROWS + 2_000
INPUTS = {
    "minutes": ("double", False),
    "stops": ("long", True),
    "weekend": ("boolean", True),
    "carrier": ("string", False),
    "port": ("string", True),
}
NUMBERS, TEXTS = ["minutes", "stops", "weekend"], ["carrier", "port"]


def table(rows: int = ROWS) -> pd.DataFrame:
    """Rows as they come: gaps, categories that nobody has seen, numbers of all sizes."""
    random = np.random.default_rng(7)
    minutes = random.normal(100, 50, rows)
    minutes[random.random(rows) < 0.05] = np.nan
    minutes[random.random(rows) < 0.001] = 1e300
    carriers = ["AA", "ünï", "Zürich \U0001f6eb", "", " AA", "nan", "never seen"]
    return pd.DataFrame(
        {
            "minutes": minutes,
            "stops": random.integers(0, 5, rows),
            "weekend": random.random(rows) < 0.3,
            "carrier": np.where(random.random(rows) < 0.1, None, random.choice(carriers, rows)),
            "port": random.choice(["JFK", "EWR", "LGA"], rows),
            "note": random.choice(["a", "b"], rows),
        }
    )


def mild() -> pd.DataFrame:
    """Rows without what a sum of numbers cannot have."""
    rows = table().fillna({"minutes": 90.0})
    return rows.assign(minutes=rows["minutes"].clip(upper=1e3))


def fitted(estimator: Any, *, unknown: str = "ignore", numbers: Any = "passthrough") -> Any:
    rows = conform(table(2_000), INPUTS)
    rows = rows[(rows["carrier"] != "never seen") & ~(rows["minutes"] > 1e9)]
    rows = rows if isinstance(estimator, HistGradientBoostingClassifier) else rows.fillna({"minutes": 90.0})
    late = np.where(rows["minutes"].fillna(0) + 40 * rows["stops"] > 160, "late", "fine")
    encode = make_column_transformer(
        (numbers, NUMBERS), (OneHotEncoder(handle_unknown=unknown, sparse_output=False), TEXTS)
    )
    wanted = rows["stops"] * 2.5 + rows["minutes"] if isinstance(estimator, Ridge) else late
    return make_pipeline(encode, estimator).fit(rows, wanted)


def scored(model: Any, source: Path, output: Path) -> tuple[ScoredFile, pd.DataFrame]:
    with open_table(source_at(str(source))) as given:
        how = score_file(model, INPUTS, given, output, {}, lambda _: None)
    return how, pd.read_parquet(output)


def asked(model: Any, frame: pd.DataFrame) -> list[Any]:
    """What the model itself answers, asked once."""
    rows = conform(frame, INPUTS)
    return [model.predict(rows)] + ([model.predict_proba(rows)] if hasattr(model, "predict_proba") else [])


def assert_same(found: pd.DataFrame, model: Any, frame: pd.DataFrame) -> None:
    predictions, *probabilities = asked(model, frame)
    if predictions.dtype.kind == "f":
        np.testing.assert_allclose(found["prediction"], predictions, rtol=1e-12, atol=1e-12)
    else:
        assert found["prediction"].tolist() == predictions.tolist()
    for each in probabilities:
        columns = [f"probability_{label}" for label in model.classes_]
        np.testing.assert_allclose(found[columns].to_numpy(), each, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("kind", ["csv", "parquet"])
@pytest.mark.slow
def test_a_large_file_is_scored_by_the_plan_with_the_answers_of_the_model(tmp_path: Path, kind: str) -> None:
    model, frame = fitted(HistGradientBoostingClassifier(max_iter=20, random_state=0)), table()
    source = tmp_path / f"in.{kind}"
    frame.to_parquet(source) if kind == "parquet" else frame.to_csv(source, index=False)
    how, found = scored(model, source, tmp_path / "out.parquet")
    assert how == ScoredFile(ROWS, True, "", 0)
    read = frame.replace({"carrier": {"": None, "nan": None}}) if kind == "csv" else frame
    assert found["carrier"].isna().tolist() == read["carrier"].isna().tolist()
    assert_same(found, model, read)


def test_rows_that_the_plan_leaves_to_the_model_are_answered_by_it_in_their_place(tmp_path: Path) -> None:
    model, frame = fitted(Ridge()), mild()
    # Beyond what a sum can hold on its way, whatever its order.
    frame.loc[[PIECE_ROWS + 5, ROWS - 1], "minutes"] = [1e200, -1e200]
    frame.to_parquet(tmp_path / "in.parquet")
    how, found = scored(model, tmp_path / "in.parquet", tmp_path / "out.parquet")
    assert (how.compiled, how.left) == (True, PIECE_ROWS + ROWS - CHUNK_ROWS)
    assert abs(found["prediction"].iloc[-1]) > 1e199
    assert_same(found, model, frame)


def test_a_chunk_that_the_plan_cannot_read_is_answered_by_the_model_and_the_others_by_the_plan(tmp_path: Path) -> None:
    model, frame = fitted(Ridge()), mild()
    frame.loc[ROWS - 1, "stops"] = 2**53 + 1  # float64 does not hold it
    frame.to_parquet(tmp_path / "in.parquet")
    how, found = scored(model, tmp_path / "in.parquet", tmp_path / "out.parquet")
    assert (how.compiled, how.left) == (True, ROWS - CHUNK_ROWS)
    assert_same(found, model, frame)


def test_what_the_model_refuses_is_refused_in_its_words_and_no_output_is_left(tmp_path: Path) -> None:
    model = fitted(LogisticRegression(max_iter=1000), unknown="error", numbers=StandardScaler())
    frame = mild().replace({"carrier": {"never seen": "AA"}})
    frame.loc[ROWS - 1, "carrier"] = "new"
    frame.to_parquet(tmp_path / "in.parquet")
    with pytest.raises(ValueError, match="Found unknown categories") as own:
        model.predict(conform(frame.tail(1), INPUTS))
    with pytest.raises(ValueError, match="Found unknown categories") as found:
        scored(model, tmp_path / "in.parquet", tmp_path / "out.parquet")
    assert str(found.value) == str(own.value)
    assert [path.name for path in tmp_path.iterdir()] == ["in.parquet"]


def test_a_plan_that_answers_otherwise_is_not_used(tmp_path: Path) -> None:
    model, frame = fitted(HistGradientBoostingClassifier(max_iter=5, random_state=0)), table()
    model.predict = lambda rows: np.where(rows["stops"] == 4, "late", "fine")  # what no plan knows of
    frame.to_parquet(tmp_path / "in.parquet")
    how, found = scored(model, tmp_path / "in.parquet", tmp_path / "out.parquet")
    assert not how.compiled and "the plan answers otherwise: row " in how.why_not
    assert_same(found, model, frame)


def test_a_model_that_is_not_compiled_answers_itself_and_the_step_is_named(tmp_path: Path) -> None:
    model, frame = fitted(GaussianNB()), mild()
    frame.to_parquet(tmp_path / "in.parquet")
    how, found = scored(model, tmp_path / "in.parquet", tmp_path / "out.parquet")
    assert not how.compiled and "GaussianNB" in how.why_not
    assert_same(found, model, frame)


def test_a_plan_that_would_take_more_of_the_processor_than_the_model_is_not_used(tmp_path: Path) -> None:
    frame = mild().assign(carrier=[f"C{row % 4000}" for row in range(ROWS)])
    late = np.where(frame["minutes"] > 100, "late", "fine")
    # Thousands of categories, which scikit-learn keeps sparse: that takes it a tenth of the time.
    model = make_pipeline(make_column_transformer((OneHotEncoder(), TEXTS)), LogisticRegression(max_iter=20))
    model.fit(conform(frame, INPUTS).head(8000), late[:8000])
    frame.to_parquet(tmp_path / "in.parquet")
    how, found = scored(model, tmp_path / "in.parquet", tmp_path / "out.parquet")
    assert (how.compiled, how.why_not) == (False, "the plan takes no less processor time")
    assert_same(found, model, frame)


def test_a_small_file_waits_for_no_plan(tmp_path: Path) -> None:
    model, frame = fitted(HistGradientBoostingClassifier(max_iter=5, random_state=0)), table(300)
    frame.to_parquet(tmp_path / "in.parquet")
    how, found = scored(model, tmp_path / "in.parquet", tmp_path / "out.parquet")
    assert (how.rows, how.compiled, how.left) == (300, False, 0) and f"{PLANNED_FROM:,} rows" in how.why_not
    assert_same(found, model, frame)


def test_a_header_alone_is_told_to_have_no_rows_and_no_model_is_asked(tmp_path: Path) -> None:
    table(0).to_csv(tmp_path / "in.csv", index=False)
    with pytest.raises(FileUnusable, match=r"in\.csv has no rows"):
        scored(fitted(Ridge()), tmp_path / "in.csv", tmp_path / "out.parquet")
