"""A table with the names that its owners gave it, and with texts and times, from `check` to the answer of a service."""

import io
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.request import Request, urlopen

import mlflow
import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_breast_cancer
from tests.helpers.commands import read_json

if TYPE_CHECKING:
    from conftest import Library

TUMOURS = """
name: tumours
scope: {goal: Say which tumours are malignant., owner: ward@clinic.example}
task: binary
data:
  source: {csv: rows.csv}
  target: "is malignant?"
  positive: "yes"
  id: "#"
  columns:
    "is malignant?": {type: category, values: ["no", "yes"]}
    mean radius: {type: float, min: 0}
    'mean "texture"': {type: float, min: 0}
    Glätte [mm]: {type: float, min: 0}
    F.Dimension: {type: float, nulls: 0.1}
    worst/mean: {type: float}
    "% concave": {type: int}
    a\\b: {type: category, values: [left, right]}
    patient's group: {type: category, feature: false}
    doctor's note: {type: text}
    seen at: {type: datetime}
split: {method: group, group: patient's group, test: 0.4}
search:
  metric: roc_auc
  trials: 2
  candidates:
    logistic:
      estimator: sklearn.linear_model.LogisticRegression
      space: {C: {log_uniform: [0.01, 10]}}
evaluation: {slices: ["a\\\\b"], sensitive: ["a\\\\b"]}
gates: {thresholds: {roc_auc: 0.7}, slices: {margin: 1}}
"""
USED = [
    "mean radius",
    'mean "texture"',
    "Glätte [mm]",
    "F.Dimension",
    "worst/mean",
    "% concave",
    "a\\b",
    "doctor's note",
    "seen at",
]


def tumours() -> pd.DataFrame:
    """300 rows of Wisconsin's breast cancer table, under names as tables from spreadsheets and from R have them."""
    table = load_breast_cancer(as_frame=True)
    rows, random = table.data.head(300), np.random.default_rng(0)
    return pd.DataFrame(
        {
            "#": range(300),
            "is malignant?": np.where(table.target.head(300) == 0, "yes", "no"),
            "mean radius": rows["mean radius"],
            'mean "texture"': rows["mean texture"],
            "Glätte [mm]": rows["mean smoothness"],
            "F.Dimension": rows["mean fractal dimension"].where(random.random(300) > 0.02),
            "worst/mean": rows["worst area"] / rows["mean area"],
            "% concave": (100 * rows["mean concavity"]).astype(int),
            "a\\b": random.choice(["left", "right"], 300),
            "patient's group": [f"g{i // 4}" for i in range(300)],
            "doctor's note": [f"again in {i % 7} weeks" for i in range(300)],
            "seen at": pd.date_range("2024-01-01", periods=300, freq="h"),
        }
    )


def asked(url: str, body: str | bytes, kind: str = "application/json") -> Any:
    content = body if isinstance(body, bytes) else body.encode()
    with urlopen(Request(url, content, {"Content-Type": kind}), timeout=60) as answer:
        return json.loads(answer.read())


@pytest.fixture(scope="module")
def odd(library: "Library") -> tuple[dict[str, Any], pd.DataFrame]:
    """Check, search, register and promote; return what `run` said, and three whole rows."""
    folder = library.project / "experiments" / "tumours"
    folder.mkdir()
    (folder / "experiment.yaml").write_text(TUMOURS.lstrip())
    tumours().to_csv(folder / "rows.csv", index=False)
    assert library.done("check", "tumours")["features"] == USED
    done = library.done("run", "tumours")
    assert library.done("register", "tumours", done["run_id"])["new"] is False
    library.done("promote", "tumours", done["version"], "Production")
    return done, tumours().dropna().head(3)[USED]


@pytest.fixture(scope="module")
def served(library: "Library", odd: tuple[dict[str, Any], pd.DataFrame]) -> Iterator[str]:
    words = [sys.executable, "-m", "slipway", "serve", "tumours", "--port", "0", "--json"]
    with subprocess.Popen(words, env=library.environment(), stdout=subprocess.PIPE, text=True) as serving:
        yield str(read_json(serving)["url"])
        serving.send_signal(signal.SIGINT)
        assert serving.wait(timeout=60) == 0


def test_a_service_answers_odd_names_by_the_compiled_model_and_in_every_format_alike(
    odd: tuple[dict[str, Any], pd.DataFrame], served: str
) -> None:
    done, rows = odd
    model = mlflow.pyfunc.load_model(f"models:/tumours/{done['version']}")
    assert model.metadata.get_input_schema().input_names() == USED
    wanted = {"predictions": list(model.predict(rows))}
    written = rows.assign(**{"seen at": rows["seen at"].astype(str)})
    split, url, packed = written.to_dict("split", index=False), f"{served}/invocations", io.BytesIO()
    rows.to_parquet(packed, index=False)
    formats = {
        "dataframe_records": written.to_dict("records"),
        "dataframe_split": split,
        "instances": written.to_dict("records"),
        "inputs": written.to_dict("list"),
    }
    for key, value in formats.items():
        assert asked(url, json.dumps({key: value})) == wanted, key
    with urlopen(f"{served}/metrics", timeout=60) as answer:
        lines = answer.read().decode().splitlines()
    (compiled,) = (line for line in lines if line.startswith("slipway_answers_total") and 'by="plan"' in line)
    assert float(compiled.rpartition(" ")[2]) == len(formats)
    assert asked(url, rows.to_csv(index=False), "text/csv") == wanted
    assert asked(url, packed.getvalue(), "application/vnd.apache.parquet") == wanted
    more = [{**row, "beside": "none"} for row in written.to_dict("records")]
    assert asked(url, json.dumps({"dataframe_records": more})) == wanted
    with urlopen(f"{served}/openapi.json", timeout=60) as answer:
        body = json.loads(answer.read())["paths"]["/invocations"]["post"]["requestBody"]["content"]["application/json"]
    assert list(body["example"]["dataframe_split"]["columns"]) == list(rows)
    with urlopen(f"{served}/", timeout=60) as answer:
        page = answer.read().decode()
    assert "mean &#34;texture&#34;" in page and "Glätte [mm]" in page and "seen at" in page and "note" in page


def test_files_of_odd_names_are_scored_and_what_reviewers_see_holds_them(
    library: "Library", odd: tuple[dict[str, Any], pd.DataFrame], tmp_path: Path
) -> None:
    done, rows = odd
    rows.to_parquet(tmp_path / "rows.parquet", index=False)
    library.done("score", "tumours", tmp_path / "rows.parquet", tmp_path / "scored.csv")
    assert list(pd.read_csv(tmp_path / "scored.csv"))[: len(rows.columns)] == list(rows)
    run = library.client.get_run(done["run_id"])
    assert [key for key in run.data.metrics if key.startswith("demographic_parity_difference_a_b.")]
    card = Path(library.client.download_artifacts(done["run_id"], "model_card.html")).read_text()
    assert "Glätte [mm]" in card
    assert library.done("reproduce", "tumours", done["version"])["identical"]


def test_a_name_that_cannot_be_is_refused_by_check_with_its_line(library: "Library", odd: Any) -> None:
    name = library.vary("tumours", "tumours_unseen", ("mean radius:", '"mean\\tradius":'))
    said = library.slipway("check", name)
    assert said.code == 2
    assert "experiment.yaml:11" in said.err and "holds U+0009, which cannot be seen" in said.err
