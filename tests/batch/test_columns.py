from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.batch import conform
from slipway.core.forms import Form
from slipway.errors import DataUnusable

INPUTS = {
    "minutes": ("double", True),
    "count": ("long", True),
    "port": ("string", False),
    "holiday": ("boolean", True),
    "when": ("datetime", True),
}


def rows(**changed: Any) -> pd.DataFrame:
    columns = {
        "when": ["2013-01-01", "2013-01-02T05:00:00+01:00"],
        "holiday": ["true", "False"],
        "port": ["007", None],
        "count": ["1", "2"],
        "minutes": [1, 2],
        "spare": ["x", "y"],
    }
    return pd.DataFrame({**columns, **changed})


def test_rows_become_what_the_signature_wants_in_its_order_and_other_columns_are_left_out() -> None:
    given_rows = rows().set_index(pd.Index([5, 9]))
    frame = conform(given_rows, INPUTS)
    kinds = {"minutes": "float64", "count": "int64", "port": "str", "holiday": "bool", "when": "datetime64[us]"}
    assert list(frame.dtypes.astype(str).to_dict().items()) == list(kinds.items())
    assert frame.index.tolist() == [5, 9]
    assert frame.iloc[0].tolist() == [1.0, 1, "007", True, pd.Timestamp("2013-01-01")]
    assert frame["when"].iloc[1] == datetime(2013, 1, 2, 4)


def test_an_optional_column_that_is_not_there_is_all_missing() -> None:
    frame = conform(rows().drop(columns="port"), {**INPUTS, "share": ("double", False)})
    assert frame["port"].isna().all() and frame["port"].dtype == "str"
    assert frame["share"].isna().all() and frame["share"].dtype == "float64"


def test_an_optional_time_that_is_not_there_is_a_column_of_times() -> None:
    rows = conform(pd.DataFrame({"a": [1.0, 2.0]}), {"a": ("double", True), "at": ("datetime", False)})
    assert rows["at"].dt.year.isna().all()
    assert rows["at"].dtype == conform(pd.DataFrame({"at": ["2013-01-31"]}), {"at": ("datetime", False)})["at"].dtype


def test_an_optional_truth_is_a_number_whether_or_not_some_are_missing() -> None:
    inputs = {"holiday": ("boolean", False)}
    assert conform(rows(), inputs)["holiday"].tolist() == [1.0, 0.0]
    assert conform(rows(holiday=["true", None]), inputs)["holiday"].dtype == "float64"


def test_columns_that_are_missing_are_named_with_those_that_are_there() -> None:
    with pytest.raises(DataUnusable, match="the input has no column minutes, when; it has holiday, port, count, spare"):
        conform(rows().drop(columns=["minutes", "when"]), INPUTS)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"minutes": ["1", "much"]}, r"column minutes is not of type double in 1 row\(s\), first in row 101: 'much'"),
        ({"minutes": [np.inf, 1.0]}, r"column minutes is not a finite number in 1 row\(s\), first in row 100: inf"),
        ({"minutes": [np.nan, 1.0]}, "column minutes is missing, and the model needs it in 1"),
        ({"count": [1.0, 1.5]}, r"column count is not of type long in 1 row\(s\), first in row 101: 1.5"),
        ({"count": [1.0, np.inf]}, "column count is not of type long .*: inf"),
        ({"count": [1.0, 1e300]}, "column count is not of type long"),
        ({"holiday": [True, "perhaps"]}, "column holiday is not of type boolean .*: 'perhaps'"),
        ({"when": ["2013-01-01", "soon"]}, "column when is not of type datetime .*: 'soon'"),
        (
            {"when": [None, None]},
            r"column when is missing, and the model needs it in 2 row\(s\), first in row 100: None",
        ),
    ],
)
def test_a_value_that_the_model_cannot_take_is_told_with_column_count_and_first_row(changed: dict, said: str) -> None:
    with pytest.raises(DataUnusable, match=said):
        conform(rows(**changed), INPUTS, first_row=100)


@given(st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=9))
def test_whole_numbers_keep_every_digit(values: list[int]) -> None:
    assert conform(pd.DataFrame({"n": values}, dtype="int64"), {"n": ("long", True)})["n"].tolist() == values


@given(st.lists(st.text(max_size=5), min_size=1, max_size=9))
def test_words_stay_as_they_are_written(values: list[str]) -> None:
    assert conform(pd.DataFrame({"w": pd.Series(values, dtype="str")}), {"w": ("string", True)})["w"].tolist() == values


KNOWN = {"season": frozenset({"1", "2"}), "port": frozenset({"01", "A"}), "holiday": frozenset({"True", "False"})}


@pytest.mark.parametrize("values", [[1, 2, None], [1.0, 2.0, None], ["1", "2", None], ["1.0", "+2", None]])
def test_a_category_of_whole_numbers_is_the_same_however_it_is_written(values: list[Any]) -> None:
    for dtype in (object, None):
        frame = pd.DataFrame({"season": pd.Series(values, dtype=dtype)})
        found = conform(frame, {"season": ("string", False)}, known=KNOWN)["season"]
        assert found.tolist()[:2] == ["1", "2"]
        assert found.isna().tolist() == [False, False, True]


def test_texts_that_are_categories_or_spell_none_stay_as_they_are() -> None:
    frame = pd.DataFrame({"port": ["01", "1", "A", "1.5"], "holiday": ["true", "FALSE", "True", "yes"]})
    found = conform(frame, {"port": ("string", True), "holiday": ("string", True)}, known=KNOWN)
    assert found["port"].tolist() == ["01", "1", "A", "1.5"]
    assert found["holiday"].tolist() == ["True", "False", "True", "yes"]


def test_a_file_in_the_form_that_the_version_carries_gives_the_same_rows() -> None:
    forms = {
        "minutes": Form("float", decimal=",", thousands="."),
        "count": Form("int", thousands=" "),
        "holiday": Form("bool", words=(("Ja", True), ("Nein", False))),
        "when": Form("datetime", format="%d.%m.%Y %H:%M", zone="Europe/Berlin"),
    }
    written = rows(
        minutes=["1.000,5", "2"],
        count=["1 000", "2"],
        holiday=["Ja", "Nein"],
        when=["01.01.2013 01:00", "02.01.2013 05:00"],
    )
    plain = rows(minutes=[1000.5, 2], count=[1000, 2], when=["2013-01-01", "2013-01-02T05:00:00+01:00"])
    pd.testing.assert_frame_equal(conform(written, INPUTS, forms=forms), conform(plain, INPUTS))
    with pytest.raises(DataUnusable, match=r"is not of type double in the form decimal: \",\", thousands: \"\.\""):
        conform(rows(minutes=["1,5", "1.5"]), INPUTS, forms=forms)


def test_a_truth_that_may_be_missing_is_read_in_words_although_the_signature_says_double() -> None:
    inputs, forms = {"holiday": ("double", False)}, {"holiday": Form("bool")}
    assert conform(rows(holiday=["Yes", "n"]), inputs, forms=forms)["holiday"].tolist() == [1.0, 0.0]
    assert conform(rows(holiday=["Yes", None]), inputs, forms=forms)["holiday"].isna().tolist() == [False, True]
