"""Odd names of columns, from the file that is read to rows that keep their contract."""

import unicodedata
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as some
from tests.helpers.odd_names import ODD_NAMES

from slipway.core.naming import MOST_CHARACTERS
from slipway.core.spec import Experiment
from slipway.data import audit, check_contract, fingerprint, read_source, split
from slipway.errors import ContractBroken

ODD = [*ODD_NAMES, "a, b", "self", "$p$"]
names = some.sampled_from(ODD) | some.text(
    some.characters(exclude_categories=["C", "Zl", "Zp"]), min_size=1, max_size=MOST_CHARACTERS
).filter(lambda name: name == name.strip())
four = some.lists(names, min_size=4, max_size=4, unique=True)
NOW = datetime(2013, 7, 1)


def declared(declare: Callable[..., Experiment], four: list[str], source: dict[str, Any], **more: Any) -> Experiment:
    target, number, category, group = four
    columns = {
        target: {"type": "int", "values": [0, 1]},
        number: {"type": "float", "min": -10, "nulls": 0.1},
        category: {"type": "category", "values": ["x", "y"]},
        group: {"type": "category", "feature": False},
    }
    data = {"source": source, "target": target, "columns": columns, **more}
    return declare(data=data, split={"method": "group", "group": group})


def table(four: list[str]) -> pd.DataFrame:
    random = np.random.default_rng(0)
    columns = [
        np.arange(60) % 2,
        random.normal(size=60),
        random.choice(["x", "y"], 60),
        [f"g{i // 3}" for i in range(60)],
    ]
    return pd.DataFrame(dict(zip(four, columns, strict=True)))


@pytest.mark.parametrize("kind", ["csv", "parquet"])
@given(four=four)
def test_rows_are_read_held_to_their_contract_cut_and_audited_whatever_their_columns_are_called(
    declare: Callable[..., Experiment], tmp_path_factory: pytest.TempPathFactory, kind: str, four: list[str]
) -> None:
    folder = tmp_path_factory.mktemp("rows")
    frame = table(four)
    frame.to_csv(folder / "rows.csv", index=False)
    frame.to_parquet(folder / "rows.parquet", index=False)
    experiment = declared(declare, four, {kind: f"rows.{kind}"})
    cast, violations = check_contract(read_source(folder, "small", experiment.data), experiment.data, now=NOW)
    assert violations == []
    pd.testing.assert_frame_equal(cast, frame, check_dtype=False)
    parts = split(cast, experiment)
    leaks = audit(parts.train, pd.concat([parts.validation, parts.test]), experiment, (0, 1))
    assert not [leak for leak in leaks if leak.fatal]
    assert fingerprint(cast) != fingerprint(cast.rename(columns={four[0]: f"{four[0]}!"}))


@given(four=four)
def test_a_broken_promise_is_told_of_the_column_by_its_name(
    declare: Callable[..., Experiment], four: list[str]
) -> None:
    frame = table(four)
    frame.loc[3, four[1]] = -11.0
    frame.loc[4, four[2]] = "z"
    _, violations = check_contract(frame, declared(declare, four, {"csv": "rows.csv"}).data, now=NOW)
    assert {violation.column for violation in violations} == {four[1], four[2]}


def missing(declare: Callable[..., Experiment], folder: Path, header: str, name: str) -> str:
    """What is said of a declared column when a CSV file has this header."""
    more = ",3" * (header.count(",") - 1)
    (folder / "rows.csv").write_text(f"{header}\n1,A{more}\n0,B{more}\n")
    columns = {"late": {"type": "int"}, "port": {"type": "category"}, name: {"type": "float"}}
    data = declare(data={"source": {"csv": "rows.csv"}, "target": "late", "columns": columns}).data
    with pytest.raises(ContractBroken) as raised:
        read_source(folder, "small", data)
    (violation,) = raised.value.violations
    assert violation.column == name
    return violation.rule


def test_a_header_cell_that_is_empty_names_no_column(declare: Callable[..., Experiment], tmp_path: Path) -> None:
    said = missing(declare, tmp_path, "late,port,", "Unnamed: 2")
    assert said == "the column is missing; there is: late, port, (a header cell that is empty)"


def test_a_name_that_the_reader_makes_up_for_a_repeated_one_names_no_column(
    declare: Callable[..., Experiment], tmp_path: Path
) -> None:
    assert "there is: late, port, x, x" in missing(declare, tmp_path, "late,port,x,x", "x.1")


def test_a_declared_name_that_two_columns_have_is_refused(declare: Callable[..., Experiment], tmp_path: Path) -> None:
    assert missing(declare, tmp_path, "late,port,x,x", "x").startswith("2 columns have this name")


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("Gr\u00f6\u00dfe", unicodedata.normalize("NFD", "Gr\u00f6\u00dfe")),
        (" net  sales ", "Net sales"),
        ("a\u00a0b", "a b"),
    ],
)
def test_a_name_that_looks_like_the_declared_one_is_told_character_by_character(
    declare: Callable[..., Experiment], tmp_path: Path, written: str, name: str
) -> None:
    said = missing(declare, tmp_path, f"late,port,{written}", name)
    assert f"the one that looks like it is spelled {written!a}, not {name!a}" in said


def test_a_byte_order_mark_is_no_part_of_the_first_name(declare: Callable[..., Experiment], tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("late,Net Sales\n1,2\n", encoding="utf-8-sig")
    columns = {"late": {"type": "int"}, "Net Sales": {"type": "float"}}
    data = declare(data={"source": {"csv": "rows.csv"}, "target": "late", "columns": columns}).data
    assert list(read_source(tmp_path, "small", data)) == ["late", "Net Sales"]
