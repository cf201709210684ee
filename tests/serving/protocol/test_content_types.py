import pytest

from slipway.serving.protocol.content_types import CSV, JSON, PARQUET, normalised


@pytest.mark.parametrize(
    ("header", "read"),
    [
        (b"application/json", JSON),
        (b"Application/JSON", JSON),
        (b"application/json; charset=UTF-8", JSON),
        (b'APPLICATION/JSON;Charset="Utf-8"', JSON),
        (b" application/json ; charset=utf-8 ;", JSON),
        (b"Text/CSV; CHARSET=utf-8", CSV),
        (b"application/VND.Apache.Parquet", PARQUET),
    ],
)
def test_no_case_no_quotes_and_no_charset_make_a_difference(header: bytes, read: bytes) -> None:
    assert normalised(header) == read


@pytest.mark.parametrize(
    ("header", "read"),
    [
        (b"", b""),
        (b"Text/Plain; Charset=UTF-8", b"Text/Plain; Charset=UTF-8"),
        (b"application/jsonl", b"application/jsonl"),
        (b"Application/JSON; Charset=Latin-1", b"application/json; charset=latin-1"),
        (b"application/json; charset=utf-8; charset=latin-1", b"application/json; charset=latin-1"),
        (b"application/json; charset=utf-8; Profile=A", b"application/json; profile=A"),
        (b'text/csv; header="', b'text/csv; header="'),
    ],
)
def test_mlflow_is_left_to_refuse_what_it_does_not_take(header: bytes, read: bytes) -> None:
    assert normalised(header) == read
