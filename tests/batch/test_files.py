import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from slipway.batch import ScoredFile, score_file
from slipway.batch.files import CHUNK_ROWS
from slipway.core.forms import Form
from slipway.core.spec import source_at
from slipway.errors import DataUnusable, FileUnusable
from slipway.sources import open_table

INPUTS = {"minutes": ("double", True), "port": ("string", False)}
METADATA = {"slipway.model": "ferries", "slipway.version": "3"}


class Doubles:
    """A model that answers twice the minutes; what it was asked is kept."""

    def __init__(self) -> None:
        self.asked: list[pd.DataFrame] = []

    def predict(self, rows: pd.DataFrame) -> np.ndarray:
        self.asked.append(rows)
        return rows["minutes"].to_numpy() * 2


class Classifies(Doubles):
    classes_ = np.array(["early", "late"])

    def predict(self, rows: pd.DataFrame) -> np.ndarray:
        return np.where(rows["minutes"] > 1, "late", "early")

    def predict_proba(self, rows: pd.DataFrame) -> np.ndarray:
        late = rows["minutes"].to_numpy() / 10
        return np.column_stack([1 - late, late])


def scored_file(source: Path, output: Path, model: object, on_rows: Any = len, **more: Any) -> ScoredFile:
    with open_table(source_at(str(source))) as table:
        return score_file(model, INPUTS, table, output, METADATA, on_rows, **more)


def score(source: Path, output: Path, model: object = None) -> int:
    return scored_file(source, output, model or Doubles(), lambda _: None).rows


@pytest.fixture
def source(tmp_path: Path) -> Path:
    (tmp_path / "in.csv").write_text("minutes,port,note\n1,007,a\n2.5,None,\n3,,0012\n")
    return tmp_path / "in.csv"


def test_a_csv_comes_back_as_it_was_with_the_predictions_beside(source: Path, tmp_path: Path) -> None:
    assert score(source, tmp_path / "out.csv") == 3
    lines = (tmp_path / "out.csv").read_text().splitlines()
    assert lines == ["minutes,port,note,prediction", "1.0,007,a,2.0", "2.5,None,,5.0", "3.0,,0012,6.0"]
    assert json.loads((tmp_path / "out.csv.meta.json").read_text()) == METADATA


def test_a_classifier_gives_a_probability_for_each_class(source: Path, tmp_path: Path) -> None:
    score(source, tmp_path / "out.csv", Classifies())
    scored = pd.read_csv(tmp_path / "out.csv")
    assert scored["prediction"].tolist() == ["early", "late", "late"]
    assert scored["probability_late"].tolist() == pytest.approx([0.1, 0.25, 0.3])
    assert (scored["probability_early"] + scored["probability_late"]).tolist() == pytest.approx([1, 1, 1])


def test_words_for_missing_are_those_of_training_and_no_others(source: Path, tmp_path: Path) -> None:
    model = Doubles()
    score(source, tmp_path / "out.csv", model)
    assert model.asked[0]["port"].isna().tolist() == [False, False, True]
    assert model.asked[0]["port"].tolist()[:2] == ["007", "None"]


def test_a_file_is_asked_by_the_spelling_of_the_categories_that_the_model_knows(tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("minutes,port\n1,7.0\n2,7\n3,8.0\n")
    model = Doubles()
    known = {"port": frozenset("7")}
    scored_file(tmp_path / "in.csv", tmp_path / "out.csv", model, lambda _: None, known=known)
    assert model.asked[0]["port"].tolist() == ["7", "7", "8.0"]


@pytest.mark.parametrize("kind", ["csv", "csv.gz", "parquet"])
def test_every_kind_of_input_gives_the_same_parquet_with_the_models_types_and_the_metadata(
    source: Path, tmp_path: Path, kind: str
) -> None:
    frame = pd.read_csv(source, dtype={"port": str, "note": str}, keep_default_na=False, na_values=[""])
    given = tmp_path / f"given.{kind}"
    frame.to_parquet(given) if kind == "parquet" else frame.to_csv(given, index=False)
    assert score(given, tmp_path / "out.parquet") == 3
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "out.parquet"), frame.assign(prediction=[2.0, 5.0, 6.0]))
    stored = pq.read_schema(tmp_path / "out.parquet").metadata
    assert {key: stored[key.encode()].decode() for key in METADATA} == METADATA


def test_a_file_of_several_chunks_is_scored_whole_whatever_types_each_chunk_looks_like(tmp_path: Path) -> None:
    count, told = CHUNK_ROWS + 10, []
    frame = pd.DataFrame({"minutes": ["1"] * CHUNK_ROWS + ["1.5"] * 10, "note": [""] * CHUNK_ROWS + ["late"] * 10})
    frame.to_csv(tmp_path / "in.csv", index=False)
    output = tmp_path / "out.parquet"
    rows = scored_file(tmp_path / "in.csv", output, Doubles(), told.append).rows
    scored = pd.read_parquet(output)
    assert rows == len(scored) == count and told == [CHUNK_ROWS, 10]
    assert scored["prediction"].iloc[[0, -1]].tolist() == [2.0, 3.0]
    assert scored["note"].iloc[-1] == "late" and scored["note"].iloc[:-10].isna().all()


def test_a_bad_value_in_a_late_chunk_is_told_with_its_row_and_leaves_no_output(tmp_path: Path) -> None:
    pd.DataFrame({"minutes": ["1"] * CHUNK_ROWS + ["much"]}).to_csv(tmp_path / "in.csv", index=False)
    with pytest.raises(
        DataUnusable, match=f"column minutes is not of type double .* first in row {CHUNK_ROWS}: 'much'"
    ):
        score(tmp_path / "in.csv", tmp_path / "out.csv")
    assert [path.name for path in tmp_path.iterdir()] == ["in.csv"]


def test_a_failed_scoring_leaves_the_output_of_before_as_it_was(source: Path, tmp_path: Path) -> None:
    score(source, tmp_path / "out.csv")
    before = (tmp_path / "out.csv").read_bytes()
    source.write_text("minutes\nmuch\n")
    with pytest.raises(DataUnusable):
        score(source, tmp_path / "out.csv")
    assert (tmp_path / "out.csv").read_bytes() == before
    assert not list(tmp_path.glob(".*"))


def test_a_file_may_be_scored_onto_itself(source: Path) -> None:
    score(source, source)
    score(source, source)
    assert source.read_text().splitlines()[0] == "minutes,port,note,prediction"


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("in.csv", b"", "in.csv is empty; a header line"),
        ("in.csv", b"minutes,port\n", "in.csv has no rows"),
        ("in.csv", b"minutes,port\n1,a\n1,a,b\n", "in.csv cannot be read"),
        ("in.csv", b'minutes,port\n1,"a\n', "a quote in the last rows of .*in.csv is never closed"),
        ("in.csv", b"minutes,port\n1,\xff\n", "in.csv cannot be read"),
        ("in.csv.gz", b"no gzip", "in.csv.gz cannot be read"),
        ("in.csv.gz", gzip.compress(b"minutes\n" + b"1\n" * 500, mtime=0)[:-12], "in.csv.gz cannot be read"),
        ("in.parquet", b"no parquet", "in.parquet cannot be read"),
    ],
)
def test_an_input_that_cannot_be_read_is_told_by_its_name_and_no_output_is_left(
    tmp_path: Path, name: str, content: bytes, said: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises((FileUnusable, DataUnusable), match=said):
        score(tmp_path / name, tmp_path / "out.parquet")
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_an_input_that_is_not_there_or_an_empty_folder_is_told_as_such(tmp_path: Path) -> None:
    with pytest.raises(FileUnusable, match=f"there is no file {tmp_path}/in.csv"):
        score(tmp_path / "in.csv", tmp_path / "out.csv")
    (tmp_path / "in.csv").mkdir()
    with pytest.raises(FileUnusable, match=r"the folder .*in\.csv has no file that ends in \.csv"):
        score(tmp_path / "in.csv", tmp_path / "out.csv")


@pytest.mark.parametrize("output", ["nowhere/out.csv", "nowhere/out.parquet", "folder.csv", "out.csv.gz", "out.txt"])
def test_an_output_that_cannot_be_written_is_told_by_its_name(source: Path, tmp_path: Path, output: str) -> None:
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(FileUnusable, match=f"{output} (cannot be written|ends in)"):
        score(source, tmp_path / output)
    assert not list(tmp_path.glob(".*"))


def test_a_csv_is_scored_in_the_forms_of_the_version(tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text('minutes,port\n"1.000",A\n"2,5",B\n')
    forms = {"minutes": Form("float", decimal=",", thousands=".")}
    scored_file(tmp_path / "in.csv", tmp_path / "out.csv", Doubles(), lambda _: None, forms=forms)
    scored = pd.read_csv(tmp_path / "out.csv", dtype=str)
    assert scored["prediction"].tolist() == ["2000.0", "5.0"] and scored["minutes"].tolist() == ["1.000", "2,5"]
