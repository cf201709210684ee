"""Forms: how files write numbers, truth values and times, what is read by each, and what a text looks like."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as some

from slipway.core.casts import in_plain_form, to_bool, to_number, to_time
from slipway.core.forms import FORMS, Form, likely_forms, number_reader, read_forms


def column(*values: Any) -> pd.Series:
    return pd.Series(list(values), dtype=object)


def numbers(form: Form, *values: Any) -> list[float | None]:
    return [None if np.isnan(number) else number for number in to_number(in_plain_form(column(*values), form)).tolist()]


def moments(form: Form, *values: Any) -> list[str | None]:
    times = to_time(in_plain_form(column(*values), form))
    assert times.dtype == "datetime64[us]"
    return [None if pd.isna(time) else time.isoformat() for time in times]


def test_numbers_are_read_by_their_marks_and_unit_and_by_no_others() -> None:
    euros = Form("float", decimal=",", thousands=".", unit="€")
    assert numbers(euros, "1.234,5 €", "€ 12", "-€3,25", "\u22125", "1234,5", "1.234.567", " 7 ", ",5", "1,5e3") == [
        *(1234.5, 12, -3.25, -5, 1234.5, 1234567, 7, 0.5, 1500)
    ]
    assert numbers(euros, "1.23", "1,234.5", "1.2345", "12 $", "--1", "1 234", "", "€", "nan", "٣") == [None] * 10
    assert numbers(euros, 1.5, None, 7, np.nan) == [1.5, None, 7, None]


def test_one_blank_stands_for_every_blank_and_an_apostrophe_for_both() -> None:
    blanks = Form("int", thousands=" ", unit="%")
    assert numbers(blanks, "1 234", "1\u00a0234", "1\u202f234\u2009567", "12\u202f%", "1  234") == [
        *(1234, 1234, 1234567, 12, None)
    ]
    assert numbers(Form("float", thousands="\u202f"), "1 234.5") == [1234.5]
    assert numbers(Form("float", thousands="'"), "1'234.5", "1’234") == [1234.5, 1234]


def test_milliseconds_that_are_declared_as_seconds_are_no_times() -> None:
    seconds = Form("datetime", format="epoch_s")
    assert moments(seconds, "1600000000", 1600000000, "1600000000000", 1600000000000, "-9223372037") == [
        *("2020-09-13T12:26:40", "2020-09-13T12:26:40", None, None, None)
    ]


def test_a_number_with_thousands_begins_with_no_zero() -> None:
    assert numbers(Form("float", thousands=","), "1,234", "0,126", "-0,126", "012,500", "0") == [
        1234,
        None,
        None,
        None,
        0,
    ]


def test_without_a_form_a_point_is_the_decimal_point_and_nothing_is_guessed() -> None:
    assert to_number(column("1.234", "1.5")).tolist() == [1.234, 1.5]
    assert to_number(column("1,234", "1.234,5")).isna().all()


@given(some.floats(-1e15, 1e15), some.sampled_from([(",", "."), (".", ","), (",", " "), (".", "'"), (",", "")]))
def test_a_number_is_the_same_number_in_every_form(number: float, marks: tuple[str, str]) -> None:
    decimal, thousands = marks
    swap = str.maketrans({",": thousands, ".": decimal})
    read = number_reader(Form("float", decimal=decimal, thousands=thousands))
    assert float(read(f"{number:,.3f}".translate(swap)) or "nan") == float(f"{number:.3f}")


def test_truth_values_are_read_in_the_usual_words_and_any_capitals() -> None:
    words = column("Yes", "y", "T", "TRUE", "on", "1", 1.0, True, "no", "N", "f", "False", "OFF", 0, np.False_)
    assert to_bool(words).tolist() == [True] * 8 + [False] * 7
    assert np.isnan(to_bool(column("yes", "maybe", None, 2))[1:]).all()


def test_truth_values_in_declared_words_are_read_in_these_words_alone() -> None:
    german = Form("bool", words=(("Ja", True), ("J", True), ("Nein", False)))
    read = to_bool(in_plain_form(column("ja", "J", " NEIN ", True, "yes", None), german)).tolist()
    assert read[:4] == [1.0, 1.0, 0.0, 1.0] and np.isnan(read[4:]).all()


def test_times_are_read_by_their_format() -> None:
    day = Form("datetime", format="%d.%m.%Y")
    assert moments(day, "31.01.2013", "1.2.2013", "2013-01-31", "31.13.2013", None) == [
        *("2013-01-31T00:00:00", "2013-02-01T00:00:00", None, None, None)
    ]
    assert moments(Form("datetime", format="%d/%m/%y"), "01/02/68", "01/02/69") == [
        *("2068-02-01T00:00:00", "1969-02-01T00:00:00")
    ]
    assert moments(Form("datetime", format="%Y%m%d"), 20130131, "20130201") == [
        *("2013-01-31T00:00:00", "2013-02-01T00:00:00")
    ]
    zoned = Form("datetime", format="%Y-%m-%d %H:%M %z", zone="Europe/Berlin")
    assert moments(zoned, "2013-01-31 10:00 +0200", "2013-01-31 10:00 -0330") == [
        *("2013-01-31T08:00:00", "2013-01-31T13:30:00")
    ]


def test_numbers_are_times_of_the_unit_that_the_format_says() -> None:
    assert moments(Form("datetime", format="epoch_s"), "1700000000", 1700000000.5, -1, "x", None) == [
        *("2023-11-14T22:13:20", "2023-11-14T22:13:20.500000", "1969-12-31T23:59:59", None, None)
    ]
    assert moments(Form("datetime", format="epoch_ms"), "1700000000123", 0) == [
        *("2023-11-14T22:13:20.123000", "1970-01-01T00:00:00")
    ]


def test_local_times_become_utc_and_those_that_name_a_zone_keep_it() -> None:
    berlin = Form("datetime", zone="Europe/Berlin")
    assert moments(
        berlin, "2024-07-01 12:00", "2024-01-01", "2024-07", "2024-07-01T12:00:00Z", "2024-07-01T12:00-03:30"
    ) == [
        *("2024-07-01T10:00:00", "2023-12-31T23:00:00", "2024-06-30T22:00:00"),
        *("2024-07-01T12:00:00", "2024-07-01T15:30:00"),
    ]
    parquet = pd.Series(pd.to_datetime(["2024-07-01 12:00"]))
    assert to_time(in_plain_form(parquet, berlin)).tolist() == [pd.Timestamp("2024-07-01 10:00")]
    assert to_time(in_plain_form(parquet.dt.tz_localize("UTC"), berlin)).tolist() == parquet.tolist()


def test_of_a_time_that_is_shown_twice_the_first_counts_and_one_that_is_never_shown_is_missing() -> None:
    berlin = Form("datetime", format="%d.%m.%Y %H:%M", zone="Europe/Berlin")
    assert moments(berlin, "27.10.2024 02:30", "27.10.2024 03:00", "31.03.2024 02:30", "31.03.2024 03:00") == [
        *("2024-10-27T00:30:00", "2024-10-27T02:00:00", None, "2024-03-31T01:00:00")
    ]


def test_forms_go_there_and_back_as_json() -> None:
    import json

    forms = {
        "price": Form("float", decimal=",", thousands=".", unit="€"),
        "paid": Form("bool", words=(("Ja", True), ("Nein", False))),
        "sent": Form("datetime", format="%d.%m.%Y", zone="Europe/Berlin"),
        "open": Form("bool"),
    }
    metadata = {FORMS: json.dumps({name: form.as_dict() for name, form in forms.items()})}
    assert read_forms(metadata) == forms
    assert read_forms(None) == read_forms({}) == {}
    assert str(forms["price"]) == 'decimal: ",", thousands: ".", unit: "€"' and str(forms["open"]) == ""


@pytest.mark.parametrize(
    ("kind", "texts", "wanted"),
    [
        ("float", ["1.234,5"], ['decimal: ",", thousands: "."']),
        ("float", ["1,234"], ['decimal: ","', 'thousands: ","']),
        ("float", ["1,234", "1,5"], ['decimal: ","']),
        ("int", ["1,234"], ['thousands: ","']),
        ("float", ["1.234,5 €", "12 €"], ['decimal: ",", thousands: ".", unit: "€"']),
        ("float", ["$1,200.50", "-$3.00"], ['thousands: ",", unit: "$"']),
        ("float", ["1'234", "12"], ['thousands: "\'"']),
        ("float", ["hello", "1"], []),
        ("datetime", ["31.01.2013"], ['format: "%d.%m.%Y"']),
        ("datetime", ["01/02/2013"], ['format: "%d/%m/%Y"', 'format: "%m/%d/%Y"']),
        ("datetime", ["01/02/2013 5:00 PM", "01/13/2013 1:00 AM"], ['format: "%m/%d/%Y %I:%M %p"']),
        ("datetime", ["1700000000"], ['format: "epoch_s"']),
        ("datetime", ["soon"], []),
        ("bool", ["Ja", "Nein"], ['words: {"Ja": true, "Nein": false}', 'words: {"Ja": false, "Nein": true}']),
        ("bool", ["a", "b", "c"], []),
        ("float", [], []),
    ],
)
def test_texts_look_like_the_forms_in_which_every_one_can_be_read(
    kind: str, texts: list[str], wanted: list[str]
) -> None:
    assert [str(form) for form in likely_forms(texts, kind)] == wanted
