import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.data import fingerprint

texts = st.text(max_size=4)


CHANGES = {
    "number": lambda value: np.nextafter(value, np.inf) if np.isfinite(value) else 1.0,
    "whole": lambda value: value + 1,
    "word": lambda value: "x" if pd.isna(value) else value + " ",
    "moment": lambda value: value.replace(microsecond=(value.microsecond + 1) % 1_000_000),
    "flag": lambda value: not value,
}


@st.composite
def frames(draw) -> pd.DataFrame:
    count = draw(st.integers(1, 12))

    def column(values: st.SearchStrategy, dtype: str) -> pd.Series:
        return pd.Series(draw(st.lists(values, min_size=count, max_size=count)), dtype=dtype)

    return pd.DataFrame(
        {
            "number": column(st.floats(allow_nan=True), "float64"),
            "whole": column(st.integers(-9, 9), "int64"),
            "word": column(st.none() | texts, "str"),
            "moment": column(st.datetimes(), "datetime64[us]"),
            "flag": column(st.booleans(), "bool"),
        }
    )


@given(frames(), st.randoms())
def test_the_order_of_rows_and_columns_and_the_index_do_not_count(frame: pd.DataFrame, random) -> None:
    rows, columns = list(range(len(frame))), list(frame.columns)
    random.shuffle(rows)
    random.shuffle(columns)
    other = frame.iloc[rows][columns].set_axis([f"r{i}" for i in rows], axis="index")
    assert fingerprint(other) == fingerprint(frame)


@given(frames(), st.data())
def test_a_single_changed_value_counts(frame: pd.DataFrame, data: st.DataObject) -> None:
    row, name = data.draw(st.integers(0, len(frame) - 1)), data.draw(st.sampled_from(list(CHANGES)))
    other = frame.copy()
    other.loc[row, name] = CHANGES[name](frame[name].iloc[row])
    assert (other.dtypes == frame.dtypes).all()
    assert fingerprint(other) != fingerprint(frame)


@given(frames())
def test_a_row_more_a_row_twice_and_a_row_less_count(frame: pd.DataFrame) -> None:
    seen = {fingerprint(frame), fingerprint(pd.concat([frame, frame.iloc[:1]])), fingerprint(frame.iloc[1:])}
    assert len(seen) == 3


@given(frames())
def test_names_count_also_when_two_columns_change_places(frame: pd.DataFrame) -> None:
    assert fingerprint(frame.rename(columns={"word": "wrod"})) != fingerprint(frame)
    twins = pd.DataFrame({"a": [1, 2], "b": [3, 4]})
    assert fingerprint(twins) != fingerprint(twins.rename(columns={"a": "b", "b": "a"}))


@pytest.mark.parametrize(
    ("one", "other"), [("int64", "float64"), ("int64", "bool"), ("int64", "int32"), ("int64", "str")]
)
def test_types_count_where_values_are_equal(one: str, other: str) -> None:
    values = pd.DataFrame({"a": [0, 1]})
    assert fingerprint(values.astype(one)) != fingerprint(values.astype(other))


def test_values_do_not_pass_from_one_row_to_another() -> None:
    crossed = pd.DataFrame({"a": [1, 2], "b": [1, 2]}), pd.DataFrame({"a": [1, 2], "b": [2, 1]})
    assert fingerprint(crossed[0]) != fingerprint(crossed[1])


def test_the_digest_is_the_same_in_every_process_and_on_every_day() -> None:
    frame = pd.DataFrame({"a": [1, 2], "b": ["x", None]}).astype({"b": "str"})
    assert fingerprint(frame) == "20514983145e91491b755e8f6ed841594d89700a89beecb8f7c197ba876ea719"
    assert re.fullmatch("[0-9a-f]{64}", fingerprint(frame.iloc[:0]))
