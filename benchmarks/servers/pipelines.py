"""What is served: one table, one pipeline of encoder and estimator, three estimators."""

import json
import warnings
from importlib.metadata import version
from pathlib import Path

import joblib
import mlflow
import numpy as np
import pandas as pd
from mlflow.models import ModelSignature, infer_signature
from mlflow.types import ColSpec, DataType, Schema
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from slipway.registry.trust import as_stored, types_to_trust

NUMBERS, TEXTS = [f"number_{i}" for i in range(8)], [f"text_{i}" for i in range(6)]
ESTIMATORS = {
    "boosting": HistGradientBoostingClassifier(max_iter=100, early_stopping=False, random_state=0),
    "logistic": LogisticRegression(max_iter=1000),
    "neighbours": KNeighborsClassifier(),  # cannot be compiled
}


def frame(rows: int, seed: int) -> pd.DataFrame:
    """Return rows of eight numbers, and six texts of 4 to 24 categories."""
    random = np.random.default_rng(seed)
    numbers = {name: random.normal(size=rows) for name in NUMBERS}
    texts = {name: random.choice([f"category {i}" for i in range(4 + 4 * at)], rows) for at, name in enumerate(TEXTS)}
    return pd.DataFrame(numbers | texts)


def body(rows: int) -> bytes:
    """Return a request of so many rows, which no model was fitted on."""
    return json.dumps({"dataframe_records": frame(rows, seed=1).to_dict(orient="records")}).encode()


def fitted(estimator: str, files: Path) -> Path:
    """Fit a pipeline and store it as MLflow does in the folder `files`, and beside it as NAME.joblib; return the folder."""
    rows = frame(5000, seed=0)
    score = rows[NUMBERS[0]] + rows[NUMBERS[1]] * rows[NUMBERS[2]] + (rows[TEXTS[0]] == "category 1")
    encode = ColumnTransformer(
        [
            ("numbers", StandardScaler(), NUMBERS),
            ("texts", OneHotEncoder(handle_unknown="ignore", sparse_output=False), TEXTS),
        ]
    )
    pipeline = make_pipeline(encode, ESTIMATORS[estimator]).fit(rows, (score > score.median()).astype(int))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        mlflow.sklearn.save_model(
            pipeline,
            files,
            signature=ModelSignature(infer_signature(rows).inputs, Schema([ColSpec(DataType.long)])),
            input_example=rows.head(5),
            pip_requirements=[f"{name}=={version(name)}" for name in ("mlflow", "scikit-learn", "skops")],
            serialization_format="skops",
            skops_trusted_types=types_to_trust(as_stored(pipeline), ()),
        )
    joblib.dump(pipeline, pickled(files))
    return files


def pickled(files: Path) -> Path:
    """Return where the pipeline is that MLflow's folder holds, as those load it who do not know MLflow."""
    return files.with_suffix(".joblib")
