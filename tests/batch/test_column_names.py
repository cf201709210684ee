"""Files whose columns have odd names are scored, and come out with the very names that they came with."""

from typing import Any

import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as some
from tests.helpers.odd_names import ODD_NAMES

from slipway.batch import score_file
from slipway.core.spec import source_at
from slipway.sources import open_table

ODD = [*ODD_NAMES, "a, b", "self", "kwargs"]
names = some.sampled_from(ODD) | some.text(
    some.characters(exclude_categories=["C", "Zl", "Zp"]), min_size=1, max_size=40
).filter(lambda name: name == name.strip() and name != "prediction")


class Doubles:
    """A model that answers twice its first column."""

    def predict(self, rows: pd.DataFrame) -> Any:
        return rows.iloc[:, 0].to_numpy() * 2


@pytest.mark.parametrize("kind", ["csv", "parquet"])
@given(three=some.lists(names, min_size=3, max_size=3, unique=True))
@example(three=["self", "kwargs", "name"])
def test_a_file_keeps_its_names_and_gets_the_predictions(
    tmp_path_factory: pytest.TempPathFactory, kind: str, three: list[str]
) -> None:
    folder = tmp_path_factory.mktemp("scored")
    frame = pd.DataFrame(dict(zip(three, ([1.5, 2.5], ["007", "x"], [3, 4]), strict=True)))
    frame.to_csv(folder / "in.csv", index=False)
    frame.to_parquet(folder / "in.parquet", index=False)
    inputs = {three[0]: ("double", True), three[1]: ("string", False)}
    with open_table(source_at(str(folder / f"in.{kind}"))) as table:
        scored = score_file(Doubles(), inputs, table, folder / f"out.{kind}", {}, lambda _: None)
    assert scored.rows == 2
    out = (
        pd.read_csv(folder / "out.csv", dtype={three[1]: str})
        if kind == "csv"
        else pd.read_parquet(folder / "out.parquet")
    )
    pd.testing.assert_frame_equal(out[three].astype({three[2]: "int64"}), frame, check_dtype=False)
    assert out["prediction"].tolist() == [3.0, 5.0]
