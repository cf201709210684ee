import io
import json
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow.parquet import write_table

from slipway.serving.protocol.limits import TooLarge, TooManyRows, check_csv, check_json, check_parquet

MOST = 100


def parquet(**columns: Any) -> bytes:
    found = io.BytesIO()
    write_table(pa.table(columns), found, store_schema=False)
    return found.getvalue()


def often(text: str, rows: int) -> Any:
    """One text in many rows, kept once."""
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(rows, dtype="int32")), [text])


@pytest.mark.parametrize(
    "content",
    [
        {"dataframe_records": [{}] * 101},
        {"instances": [1] * 101},
        {"inputs": [1] * 101},
        {"inputs": {"x": [1] * 101}},
        {"instances": {"x": [1] * 101}},
        {"dataframe_split": {"columns": ["x"], "data": [[1]] * 101}},
        {"dataframe_split": {"columns": ["x"], "data": [[1]], "index": [1] * 101}},
    ],
    ids=json.dumps,
)
def test_the_rows_of_json_are_counted(content: Any) -> None:
    with pytest.raises(TooManyRows, match="holds 101 rows; at most 100"):
        check_json(content, MOST)
    check_json(content, MOST + 1)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_the_rows_of_csv_are_counted_without_those_that_are_blank_or_of_one_value(end: str) -> None:
    with pytest.raises(TooManyRows):
        check_csv(f"a,b{end}{f'1,2{end}' * 101}".encode(), MOST)
    check_csv(f"a,b{end}{f'1,2{end}' * 100}".encode(), MOST)
    check_csv(f"a,b{end}1,{end * 500}1,2{end}".encode(), MOST)
    check_csv(f'a,b{end}1,"{end * 500}"{end}'.encode(), MOST)
    with pytest.raises(TooManyRows):
        check_csv(b"a\n" + b"1\n" * 101 + b"x" * 200_000, MOST)


def test_csv_has_columns_within_reason() -> None:
    for wide in (b"a," * 10_000 + b"a\n1\n", b"a\n" + b"1," * 10_000 + b"1\n"):
        with pytest.raises(TooLarge, match="more than 10000 columns"):
            check_csv(wide, MOST)
    check_csv(b"a," * 9_999 + b"a\n" + b"1," * 9_999 + b"1\n", MOST)


def test_a_small_parquet_file_of_many_rows_or_of_long_texts_is_found_before_it_is_unpacked() -> None:
    check_parquet(parquet(x=np.zeros(MOST), text=often("a" * 100_000, MOST)), MOST)
    with pytest.raises(TooManyRows):
        check_parquet(parquet(x=np.zeros(MOST + 1)), MOST)
    for long in (parquet(text=often("a" * 1_100_000, MOST)), parquet(lists=pa.array([[0] * 2_000]))):
        assert len(long) < 200_000
        with pytest.raises(TooLarge, match="larger than 100000000 bytes"):
            check_parquet(long, MOST)


def test_numbers_that_are_kept_once_for_many_rows_are_counted_as_often_as_they_are_read() -> None:
    rows = 10_000
    check_parquet(parquet(**{f"c{number}": np.ones(rows) for number in range(1_000)}), rows)
    small = parquet(**{f"c{number}": np.ones(rows) for number in range(1_500)})
    assert len(small) < 1_000_000
    with pytest.raises(TooLarge, match="larger than 100000000 bytes"):
        check_parquet(small, rows)


@pytest.mark.parametrize("body", [b"", b"PAR1", b"PAR1" * 100, parquet(x=[1.0])[:-9]])
def test_what_is_no_parquet_file_is_left_to_who_reads_it(body: bytes) -> None:
    check_parquet(body, MOST)
