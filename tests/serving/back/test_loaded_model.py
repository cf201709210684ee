"""The example of a loaded model is read as its signature says."""

import json
from pathlib import Path

from slipway.serving.back.loaded_model import LoadedModel


def test_a_text_that_is_missing_in_each_row_of_the_example_stays_a_text(tmp_path: Path) -> None:
    inputs = json.dumps([{"name": name, "type": type_} for name, type_ in (("port", "string"), ("heat", "double"))])
    (tmp_path / "MLmodel").write_text(json.dumps({"signature": {"inputs": inputs}}))
    rows = {"columns": ["port", "heat"], "data": [[float("nan"), float("nan")]] * 3}
    (tmp_path / "serving_input_example.json").write_text(json.dumps({"dataframe_split": rows}))
    example = LoadedModel(None, tmp_path).example()
    assert example is not None
    assert (str(example["port"].dtype), str(example["heat"].dtype)) == ("object", "float64")
    assert example["port"].tolist() == [None] * 3
