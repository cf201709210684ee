"""Files with every oddity: each gives a clear result or a clear refusal."""

import gzip
from pathlib import Path

import pandas as pd
import pytest

from slipway.data.blocks import blocks_of
from slipway.data.profile import ColumnProfile, TableProfile, Wishes, profile_table
from slipway.errors import DataUnusable, FileUnusable

_ROWS = 60


def read(file: Path, target: str = "late") -> TableProfile:
    return profile_table(blocks_of({"url": file.name}, file.parent, {}), target, Wishes())


def column(profile: TableProfile, name: str) -> ColumnProfile:
    return next(each for each in profile.columns if each.name == name)


def odd_rows(sep: str, comma: str) -> list[str]:
    """Rows of: a number, a quoted name with everything in it, a moment in one of three zones, a mark, and the target."""
    zones = ("Z", "+02:00", "")
    return [
        sep.join(
            (
                f"1{'.' if comma == ',' else ','}{i:03}{comma}5".join('""') if i % 7 else "#N/A",
                f'"He said ""{i}"", Größe {sep} x"',
                f"2013-01-{1 + i % 28:02}T10:00:00{zones[i % 3]}",
                "yes" if i % 2 else "No",
                str(int(i % 3 == 0)),
            )
        )
        for i in range(_ROWS)
    ]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize(("sep", "comma"), [(",", "."), (";", ","), ("\t", ",")])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1", "utf-16"])
def test_separators_ends_of_lines_encodings_quotes_zones_and_marks(
    tmp_path: Path, sep: str, comma: str, encoding: str, end: str
) -> None:
    file = tmp_path / "rows.csv"
    header = sep.join(("Net Sales", "Größe", "when", "paid", "late"))
    file.write_bytes((end.join([header, *odd_rows(sep, comma)]) + end).encode(encoding))
    profile = read(file)
    assert [each.name for each in profile.columns] == ["Net Sales", "Größe", "when", "paid", "late"]
    assert [each.kind.type.value for each in profile.columns] == ["float", "text", "datetime", "bool", "bool"]
    sales = column(profile, "Net Sales")
    assert (sales.count.low, sales.count.high) == (1001.5, 1059.5) and sales.count.missing == 9
    assert "#N/A" in profile.survey.missing
    assert profile.rows == _ROWS


def test_a_separator_at_the_end_of_each_line_and_empty_or_repeated_names_are_told(tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    file.write_text("a,b,b,late,\n" + "".join(f"{i},x,y,{i % 2},\n" for i in range(_ROWS)))
    profile = read(file)
    said = "\n".join(map(str, profile.doubts))
    assert [each.name for each in profile.columns] == ["a", "late"]
    assert "header cell(s) are empty" in said and "2 columns are named b" in said


def test_the_row_names_of_r_have_no_name_and_are_left_out(tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    pd.DataFrame({"x": range(_ROWS), "late": [i % 2 for i in range(_ROWS)]}).to_csv(file)
    profile = read(file)
    assert [each.name for each in profile.columns] == ["x", "late"]


def test_a_packed_file_is_read(tmp_path: Path) -> None:
    with gzip.open(tmp_path / "rows.csv.gz", "wt") as file:
        file.write("x,late\n" + "".join(f"{i / 7:.2f},{i % 2}\n" for i in range(_ROWS)))
    assert read(tmp_path / "rows.csv.gz").rows == _ROWS


def test_a_parquet_file_keeps_its_types(tmp_path: Path) -> None:
    frame = pd.DataFrame({"x": ["?", "1"] * 30, "n": [1.5, None] * 30, "late": [True, False] * 30})
    frame.to_parquet(tmp_path / "rows.parquet")
    profile = read(tmp_path / "rows.parquet")
    assert [each.kind.type.value for each in profile.columns] == ["category", "float", "bool"]
    assert column(profile, "n").count.missing == 30


@pytest.mark.parametrize(
    ("content", "error", "said"),
    [
        (b"", FileUnusable, "empty"),
        (b"x,late\n", DataUnusable, "no rows"),
        (b"x,late\n1,2\n1,2,3\n" + b"1,2\n" * 50, FileUnusable, "cannot be read"),
        (b'x,late\n1,"2\n' + b"1,2\n" * 50, Exception, "quote"),
    ],
)
def test_a_file_that_is_no_table_is_refused(tmp_path: Path, content: bytes, error: type[Exception], said: str) -> None:
    (tmp_path / "rows.csv").write_bytes(content)
    with pytest.raises(error, match=said):
        read(tmp_path / "rows.csv")


def test_a_file_that_is_not_there_or_of_another_kind_is_told(tmp_path: Path) -> None:
    with pytest.raises(FileUnusable, match="there is no file"):
        read(tmp_path / "rows.csv")
