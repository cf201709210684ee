from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from slipway.core.spec import Data, Experiment
from slipway.data import read_source
from slipway.errors import CodeInvalid, ContractBroken, FileUnusable

TEXT = "late,minutes,port,spare\n1,1.5,007,x\n0,,NA,y\n0,2,None,z\n"


@pytest.fixture
def data(declare: Callable[..., Experiment]) -> Callable[..., Data]:
    """Return a function that gives the small experiment's data another source, and other keys."""

    def make(source: dict[str, Any], **changed: Any) -> Data:
        return declare(data={**declare().as_dict()["data"], "source": source, **changed}).data

    return make


def written(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_a_csv_gives_the_declared_columns_in_their_order_and_leaves_others_out(
    tmp_path: Path, data: Callable[..., Data]
) -> None:
    written(tmp_path / "rows.csv", TEXT)
    assert list(read_source(tmp_path, "small", data({"csv": "rows.csv"})).columns) == ["late", "minutes", "port"]
    with_id = read_source(tmp_path, "small", data({"csv": "rows.csv"}, id="spare"))
    assert with_id.columns[0] == "spare" and with_id["spare"].tolist() == ["x", "y", "z"]


def test_categories_of_a_csv_stay_as_they_are_written_and_only_words_for_missing_are_missing(
    tmp_path: Path, data: Callable[..., Data]
) -> None:
    written(tmp_path / "rows.csv", TEXT)
    frame = read_source(tmp_path, "small", data({"csv": "rows.csv"}))
    assert frame["port"].isna().tolist() == [False, True, False]
    assert frame["port"].dropna().tolist() == ["007", "None"]
    assert frame["minutes"].isna().tolist() == [False, True, False]


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_file_that_is_not_there_is_told_as_such(tmp_path: Path, data: Callable[..., Data], kind: str) -> None:
    with pytest.raises(FileUnusable, match=f"there is no file {tmp_path}/deep/rows.{kind}"):
        read_source(tmp_path, "small", data({kind: f"deep/rows.{kind}"}))


def test_columns_that_are_missing_are_named_with_those_that_are_there(
    tmp_path: Path, data: Callable[..., Data]
) -> None:
    written(tmp_path / "rows.csv", "late,prot\n1,A\n")
    with pytest.raises(ContractBroken, match="nothing was trained") as raised:
        read_source(tmp_path, "small", data({"csv": "rows.csv"}, id="key"))
    assert [violation.column for violation in raised.value.violations] == ["key", "minutes", "port"]
    assert "the column is missing; there is: late, prot" in str(raised.value)


def test_a_function_gets_its_params_and_gives_its_rows_with_an_index_of_their_own(
    tmp_path: Path, data: Callable[..., Data]
) -> None:
    code = (
        "import pandas as pd\ndef load(rows):\n"
        "    return pd.DataFrame({'late': [1] * rows, 'minutes': 1.0, 'port': 'A'}, index=[7] * rows)\n"
    )
    written(tmp_path / "features.py", code)
    frame = read_source(tmp_path, "small", data({"function": "features:load", "params": {"rows": 3}}))
    assert frame.index.tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("def load():\n    raise KeyError('gone')\n", "features:load in .* failed: KeyError: 'gone'"),
        ("def load():\n    return [1]\n", "has to return a pandas DataFrame; it returned list"),
        ("def load(much):\n    pass\n", "failed: TypeError"),
        ("def laod():\n    pass\n", "has no function 'load'; did you mean 'laod'"),
        ("import nothing_of_the_kind\n", "there is no module 'nothing_of_the_kind'"),
        ("1 / 0\n", "importing features failed: ZeroDivisionError"),
        ("def load(:\n", "importing features failed: SyntaxError"),
    ],
)
def test_a_function_that_cannot_be_used_is_told_by_its_name(
    tmp_path: Path, data: Callable[..., Data], code: str, said: str
) -> None:
    written(tmp_path / "features.py", code)
    with pytest.raises(CodeInvalid, match=said):
        read_source(tmp_path, "small", data({"function": "features:load"}))


def test_a_column_of_a_csv_with_a_declared_form_stays_as_it_is_written(
    tmp_path: Path, data: Callable[..., Data]
) -> None:
    written(tmp_path / "rows.csv", "late,minutes,port\n1,1.234,A\n0,12,B\n")
    columns = {
        **data({"csv": "rows.csv"}).model_dump()["columns"],
        "minutes": {"type": "float", "thousands": ".", "decimal": ","},
    }
    assert read_source(tmp_path, "small", data({"csv": "rows.csv"}))["minutes"].tolist() == [1.234, 12]
    formed = read_source(tmp_path, "small", data({"csv": "rows.csv"}, columns=columns))
    assert formed["minutes"].tolist() == ["1.234", "12"]


@pytest.mark.parametrize("kind", ["csv", "parquet"])
@pytest.mark.parametrize(
    ("form", "written_as"),
    [
        ({"zone": "America/New_York"}, "%Y-%m-%d %H:%M"),
        ({"zone": "America/New_York", "format": "%d.%m.%Y %H:%M"}, "%d.%m.%Y %H:%M"),
    ],
)
def test_a_source_is_read_up_to_a_moment_by_the_form_of_its_column(
    tmp_path: Path, data: Callable[..., Data], kind: str, form: dict[str, str], written_as: str
) -> None:
    hours = pd.date_range(
        "2026-01-31T00:00", periods=24, freq="h"
    )  # of the clocks of New York, which are 5 hours behind UTC
    frame = pd.DataFrame({"late": 0, "minutes": range(24), "at": hours})
    if kind == "csv" or "format" in form:
        frame["at"] = frame["at"].dt.strftime(written_as)
    path = tmp_path / f"rows.{kind}"
    frame.to_csv(path, index=False) if kind == "csv" else frame.to_parquet(path, index=False)
    columns = {"late": {"type": "int"}, "minutes": {"type": "float"}, "at": {"type": "datetime", **form}}
    until = {"column": "at", "moment": "2026-01-31T09:00:00"}
    declared = data({"url": path.name, "until": until}, columns=columns, not_leaking=[])
    assert len(read_source(tmp_path, "small", declared)) == 5  # up to 4 o'clock
