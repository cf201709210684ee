"""Rows in memory get the answers that the same rows get in a file."""

import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from slipway.batch import score_file
from slipway.core.spec import source_at
from slipway.errors import DataUnusable, UsageError
from slipway.registry.versions import Version
from slipway.settings import Settings
from slipway.sources import open_table
from slipway.types import Stage
from slipway.workflows.scorable import FrameScorer, Scorable

ROWS = pd.DataFrame({"minutes": [1.0, 2.5, 3.0], "note": ["a", None, "0012"]})


@pytest.fixture
def scorer() -> FrameScorer:
    model = LogisticRegression().fit(pd.DataFrame({"minutes": [0.0, 1.0, 2.0, 3.0]}), ["no", "no", "yes", "yes"])
    version = Version("ferries", 3, Stage.PRODUCTION, "run", "", 0)
    return FrameScorer(Scorable(version, model, {"minutes": ("double", True)}, {}, {}, {"sep": ";"}))


def test_rows_keep_their_index_and_get_the_answers_of_a_file(scorer: FrameScorer, tmp_path: Path) -> None:
    scored = scorer.scored(ROWS.set_axis([7, 7, 9]))
    assert list(scored.index) == [7, 7, 9]
    assert list(scored.columns) == [
        *ROWS,
        "prediction",
        "probability_no",
        "probability_yes",
    ]
    ROWS.to_parquet(tmp_path / "in.parquet")
    with open_table(source_at(str(tmp_path / "in.parquet"))) as table:
        score_file(scorer.scorable.model, scorer.scorable.inputs, table, tmp_path / "out.parquet", {}, lambda _: None)
    pd.testing.assert_frame_equal(
        scored.reset_index(drop=True), pd.read_parquet(tmp_path / "out.parquet"), check_dtype=False
    )


def test_a_path_is_read_in_the_dialect_of_the_training_data(scorer: FrameScorer, tmp_path: Path) -> None:
    file = tmp_path / "in.csv"
    ROWS.to_csv(file, sep=";", index=False)
    settings = Settings(tmp_path, tmp_path)
    expected = scorer.scored(ROWS)["probability_yes"].tolist()
    assert scorer.scored_table(str(file), settings, {})["probability_yes"].tolist() == expected
    ROWS.to_csv(file, sep="|", index=False)
    assert scorer.scored_table(str(file), settings, {"sep": "|"})["probability_yes"].tolist() == expected


def test_a_fault_names_column_and_row_and_no_rows_are_a_fault(scorer: FrameScorer) -> None:
    with pytest.raises(DataUnusable, match=r"column minutes is missing, .* in 1 row\(s\), first in row 1"):
        scorer.scored(ROWS.assign(minutes=[1.0, np.nan, 2.0]))
    with pytest.raises(UsageError, match="the rows to score are a list; give a DataFrame"):
        scorer.scored([{"minutes": 1.0}])  # type: ignore[arg-type]
    with pytest.raises(DataUnusable, match="there are no rows to score"):
        scorer.scored(pd.read_csv(io.StringIO("minutes\n")))


def test_a_plan_is_made_for_many_rows_and_kept(scorer: FrameScorer) -> None:
    many = pd.DataFrame({"minutes": np.linspace(0, 3, 50_000)})
    scorer.scored(ROWS)
    scorer.scored(many)
    first = scorer._answering
    assert scorer.scored(many)["prediction"].iloc[-1] == "yes"
    assert (scorer._answering is first) is first.compiled
