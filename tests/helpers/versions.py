"""Models as MLflow stores them, made in a moment: each version's answers say which it is."""

import json
import warnings
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
from mlflow.models import ModelSignature
from mlflow.types import ColSpec, Schema
from sklearn.compose import make_column_transformer
from sklearn.linear_model import Ridge
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

VERSIONS = (1, 2, 3)
UNCOMPILED = "neighbours"
DEMANDING = "demanding"
JSON, CSV = "application/json", "text/csv"
ROW = {"a": 0.5, "b": -1.25, "c": "x"}
ASKED = [(JSON, json.dumps({"dataframe_records": [ROW]}).encode())] * 7 + [(CSV, b"a,b,c\n0.5,-1.25,x\n")]
TRUSTED = ["sklearn.metrics._dist_metrics.EuclideanDistance64", "sklearn.neighbors._kd_tree.KDTree"]


def make_versions(base: Path) -> Path:
    """Save models in folders 1, 2, 3, that answer about 1000, 2000 and 3000, one that cannot be compiled, and one that asks for
    a column more.
    """
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"a": rng.normal(size=200), "b": rng.normal(size=200), "c": rng.choice(["x", "y", "z"], 200)})
    estimators = {**{str(k): Ridge() for k in VERSIONS}, UNCOMPILED: KNeighborsRegressor(), DEMANDING: Ridge()}
    for number, (name, estimator) in enumerate(estimators.items(), 1):
        rows = table.assign(d=1.0) if name == DEMANDING else table
        inputs = [ColSpec("string" if column == "c" else "double", column) for column in rows]
        signature = ModelSignature(Schema(inputs), Schema([ColSpec("double")]))
        encode = make_column_transformer(
            (StandardScaler(), ["a", "b"]), (OneHotEncoder(handle_unknown="ignore"), ["c"])
        )
        model = make_pipeline(encode, estimator).fit(rows, 2 * rows.a + (rows.c == "x") + 1000 * number)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            mlflow.sklearn.save_model(
                model, str(base / name), serialization_format="skops", skops_trusted_types=TRUSTED, signature=signature,
                input_example=rows.head(3), pip_requirements=["scikit-learn"],
            )  # fmt: skip
    return base


def answers_of(base: Path) -> dict[str, list[bytes]]:
    """What each version has to answer to ASKED, by the version's number."""
    answers = {}
    for name in map(str, VERSIONS):
        predicted = mlflow.sklearn.load_model(str(base / name)).predict(pd.DataFrame([ROW])).tolist()
        answers[name] = [json.dumps({"predictions": predicted}).encode()] * len(ASKED)
    return answers
