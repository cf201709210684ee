"""What every file of a source promises, and how one that cannot be read is told."""

import gzip
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from slipway.core.spec import Source, source_at
from slipway.errors import DataUnusable, FileUnusable
from slipway.sources import open_table, peek, read_table


def read(folder: Path, name: str, **keys: Any) -> pd.DataFrame:
    return read_table(source_at(name, **keys), folder=folder)


def written(folder: Path, content: str | bytes, name: str = "rows.csv") -> Path:
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("rows.csv", b"", "is empty; a header line"),
        ("rows.csv", b"a,b\n1,2\n1,2,3\n", "rows.csv cannot be read as csv: .*Expected 2 columns, got 3"),
        ("rows.csv", b"a,b\n1,2\n3\n", "rows.csv cannot be read as csv: .*Expected 2 columns, got 1"),
        ("rows.csv", b'a,b\n1,"2\n3,4\n', "a quote in the last rows of .*rows.csv is never closed"),
        ("rows.csv", b"a,b\n1,\xff\xfe\n", "rows.csv cannot be read as csv: .*utf-8"),
        ("rows.csv.gz", b"not gzip", "rows.csv.gz cannot be read as csv"),
        ("rows.csv.gz", gzip.compress(b"a\n" + b"1\n" * 500, mtime=0)[:-12], "rows.csv.gz cannot be read as csv"),
        ("rows.csv.zst", b"not zstd", "rows.csv.zst cannot be read as csv"),
        ("rows.parquet", b"PAR1 cut", "rows.parquet cannot be read as parquet"),
        ("rows.parquet", b"", "rows.parquet cannot be read as parquet"),
        ("rows.feather", b"x", "rows.feather cannot be read as arrow"),
        ("rows.jsonl", b'{"a": 1}\n{"a": \n', "line 2 of .*rows.jsonl is not JSON"),
        ("rows.jsonl", b"[1, 2]\n", "line 1 of .*rows.jsonl is a list; a row is an object"),
    ],
)
def test_a_file_that_cannot_be_read_is_told_by_its_name(tmp_path: Path, name: str, content: bytes, said: str) -> None:
    with pytest.raises((FileUnusable, DataUnusable), match=said):
        read(written(tmp_path, content, name), name)


@pytest.mark.parametrize("name", ["deep/rows.csv", "rows.parquet", "rows.jsonl.gz", "r*/part-*.parquet"])
def test_a_file_that_is_not_there_is_told_as_such(tmp_path: Path, name: str) -> None:
    with pytest.raises(FileUnusable) as raised:
        read(tmp_path, name)
    assert f"there is no file {tmp_path}/{name}" in str(raised.value)


def test_a_folder_without_such_files_is_told_as_such(tmp_path: Path) -> None:
    (tmp_path / "rows").mkdir()
    (tmp_path / "rows/_SUCCESS.parquet").write_text("")
    with pytest.raises(FileUnusable, match=r"the folder .*rows has no file that ends in \.parquet, \.pq"):
        read(tmp_path, "rows", format="parquet")


@pytest.mark.parametrize(
    ("content", "keys", "wanted"),
    [
        ("a;b\n1,5;x\n2;y\n", {"sep": ";", "decimal": ","}, {"a": [1.5, 2.0], "b": ["x", "y"]}),
        ("a;b\n1.234,5;x\n12;y\n", {"sep": ";", "decimal": ",", "thousands": "."}, {"a": [1234.5, 12.0], "b": ["x", "y"]}),
        ("a,b\n#N/A,x\n2,-\n", {"nulls": ["#N/A", "-"]}, {"a": [None, 2.0], "b": ["x", None]}),
        ("1,x\n2,y\n", {"header": False}, {"column_1": [1, 2], "column_2": ["x", "y"]}),
        ("1,x\n2,y\n", {"header": ["n", "name"]}, {"n": [1, 2], "name": ["x", "y"]}),
        ("Sales\n\na,b\n1,x\n", {"header": 3}, {"a": [1], "b": ["x"]}),
        ("\n\na,b\n\n1,x\n\n", {}, {"a": [1], "b": ["x"]}),
        ('"a\nx",b\r\n1,"2\n3"\r\n', {}, {"a\nx": [1], "b": ["2\n3"]}),
        ('a,b\n1,"say ""so"""\n', {}, {"a": [1], "b": ['say "so"']}),
        ("a,b\r1,x\r", {}, {"a": [1], "b": ["x"]}),
        ("\ufeffa,b\n1,x\n", {}, {"a": [1], "b": ["x"]}),
        ("a,b\n1,x,\n2,y,\n", {}, {"a": [1, 2], "b": ["x", "y"], "": [None, None]}),
        ("a,b\nr1,1,x\nr2,2,y\n", {}, {"": ["r1", "r2"], "a": [1, 2], "b": ["x", "y"]}),
        (" a , b\n 1 , x\n +2 ,y\n", {}, {" a ": [1, 2], " b": [" x", "y"]}),
    ],
)  # fmt: skip
def test_a_csv_is_read_by_its_dialect(
    tmp_path: Path, content: str, keys: dict[str, Any], wanted: dict[str, Any]
) -> None:
    frame = read(written(tmp_path, content), "rows.csv", **keys)
    assert {name: [None if pd.isna(v) else v for v in frame[name]] for name in frame} == wanted


def test_a_number_that_the_dialect_gives_another_value_is_refused_rather_than_guessed(tmp_path: Path) -> None:
    folder = written(tmp_path, "a;b\n1,5;x\n2.5;y\n")
    with pytest.raises(DataUnusable, match=r"column a holds '2\.5', and the numbers of this source have decimal ','"):
        read(folder, "rows.csv", sep=";", decimal=",")


def test_words_among_numbers_leave_the_column_as_it_is_written(tmp_path: Path) -> None:
    frame = read(written(tmp_path, "a\n007\nmany\n1e3\n"), "rows.csv")
    assert frame["a"].tolist() == ["007", "many", "1e3"]
    frame = read_table(source_at("rows.csv"), ["a"], {"a"}, tmp_path)
    assert frame["a"].tolist() == ["007", "many", "1e3"]


def test_a_float_is_the_nearest_one_to_its_text(tmp_path: Path) -> None:
    texts = [
        "0.1",
        "0.30000000000000004",
        "1.7976931348623157e308",
        "5e-324",
        "123456789.12345678",
        "9007199254740993.0",
    ]
    frame = read(written(tmp_path, "a\n" + "\n".join(texts)), "rows.csv")
    assert frame["a"].tolist() == [float(text) for text in texts]


def test_columns_with_one_name_are_refused_only_where_that_column_is_read(tmp_path: Path) -> None:
    folder = written(tmp_path, "a,b,a\n1,2,3\n")
    assert read_table(source_at("rows.csv"), ["b"], folder=folder)["b"].tolist() == [2]
    with pytest.raises(DataUnusable, match="more than one column named a; rename all but one"):
        read(folder, "rows.csv")
    assert peek(source_at("rows.csv"), 5, folder).names == ("a", "b", "a")


def test_files_of_a_folder_may_have_their_columns_in_another_order_but_none_may_lack_one(tmp_path: Path) -> None:
    (tmp_path / "days").mkdir()
    written(tmp_path / "days", "a,b\n1,x\n", "1.csv")
    written(tmp_path / "days", "b,a\ny,2\n", "2.csv")
    assert read(tmp_path, "days", format="csv")["a"].tolist() == [1, 2]
    written(tmp_path / "days", "b\nz\n", "3.csv")
    with pytest.raises(DataUnusable, match=r"3\.csv has no column a, which another file of the source has"):
        read(tmp_path, "days", format="csv")


def test_parquet_files_of_a_folder_agree_on_wider_types_and_lack_columns_that_came_later(tmp_path: Path) -> None:
    (tmp_path / "days").mkdir()
    pd.DataFrame({"a": pd.Series([1], dtype="int32")}).to_parquet(tmp_path / "days/1.parquet")
    pd.DataFrame({"a": [2.5], "b": ["x"]}).to_parquet(tmp_path / "days/2.parquet")
    frame = read(tmp_path, "days", format="parquet")
    assert frame["a"].tolist() == [1, 2.5] and frame["b"].isna().tolist() == [True, False]
    pd.DataFrame({"a": ["many"]}).to_parquet(tmp_path / "days/3.parquet")
    with pytest.raises(
        DataUnusable, match=r"column a is .* in .*1\.parquet and .* in .*\.parquet; a column has one type"
    ):
        read(tmp_path, "days", format="parquet")


def test_a_file_that_changes_while_it_is_read_is_an_error(tmp_path: Path) -> None:
    folder = written(tmp_path, "a\n" + "1\n" * 2_000_000)
    with (
        open_table(source_at("rows.csv"), folder) as table,
        pytest.raises(FileUnusable, match=r"rows\.csv changed while"),
    ):
        for number, _ in enumerate(table.batches()):
            if not number:
                with (folder / "rows.csv").open("a") as file:
                    file.write("1\n")


def test_a_dialect_that_nobody_declared_is_found_and_given_back_as_keys_of_the_source(tmp_path: Path) -> None:
    text = "Sales of 2024\nDatum;Betrag;Ort\n" + "31.01.2024;1.234,50;Köln\n24.12.2024;-;Ulm\n01.02.2024;7,25;Ulm\n" * 9
    sample = peek(source_at("rows.csv"), 10, written(tmp_path, text.encode("cp1252")))
    found = {"sep": ";", "decimal": ",", "thousands": ".", "encoding": "cp1252", "nulls": ["-"], "header": 2}
    assert sample.source == Source(url="rows.csv", **found)
    assert sample.frame.iloc[0].tolist() == ["31.01.2024", "1.234,50", "Köln"]
    assert read_table(sample.source, folder=tmp_path)["Betrag"].tolist()[::2][:2] == [1234.5, 7.25]


def test_json_keeps_its_types_and_what_lies_in_a_cell_is_json(tmp_path: Path) -> None:
    text = '{"a": 1, "b": "007", "c": [1, 2]}\n\n{"b": "x", "a": 2.5, "d": {"e": null}}\n{"a": "many", "b": true}'
    frame = read(written(tmp_path, text, "rows.jsonl"), "rows.jsonl")
    assert frame["a"].tolist() == ["1", "2.5", "many"] and frame["b"].tolist() == ["007", "x", "True"]
    assert frame["c"][0] == "[1,2]" and frame["d"][1] == '{"e":null}'


def test_a_table_without_rows_has_its_columns(tmp_path: Path) -> None:
    assert list(read(written(tmp_path, "a,b\n"), "rows.csv").columns) == ["a", "b"]
    pd.DataFrame({"a": [1.0]}).head(0).to_parquet(tmp_path / "rows.parquet")
    assert read(tmp_path, "rows.parquet").shape == (0, 1)
