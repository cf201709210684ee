"""Fitted pipelines as MLflow stores and loads them, and what a front has of them."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import pytest
from catboost import CatBoostClassifier
from lightgbm import LGBMClassifier
from mlflow.models import ModelSignature
from mlflow.types import ColSpec, DataType, Schema
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier, VotingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from xgboost import XGBRegressor

from slipway.compile import compile_model
from slipway.registry.trust import TRUSTED_TYPES
from slipway.search.preprocessing._texts import terms
from slipway.serving.contract import Generation, InputColumn, Signature

ESTIMATORS: dict[str, Callable[[], Any]] = {
    "regression": LinearRegression,
    "binary": lambda: HistGradientBoostingClassifier(max_iter=10),
    "classes": lambda: LogisticRegression(max_iter=1000),
    "classes by lightgbm": lambda: LGBMClassifier(n_estimators=10, n_jobs=1, verbose=-1),
    "regression by xgboost": lambda: XGBRegressor(n_estimators=10, n_jobs=1),
    "classes by catboost": lambda: voting(
        CatBoostClassifier(iterations=10, thread_count=1, verbose=0, allow_writing_files=False)
    ),
}
"""By kind: the task, and the library where it is not scikit-learn."""
COLUMNS = (
    ColSpec(DataType.double, "air time"),
    ColSpec(DataType.double, "größe", required=False),
    ColSpec(DataType.long, "stops"),
    ColSpec(DataType.boolean, "weekend"),
    ColSpec(DataType.string, "carrier", required=False),
    ColSpec(DataType.string, "ort"),
)


@dataclass(frozen=True)
class Served:
    """A model as MLflow stores it, as it loads it, and as a generation of ours."""

    folder: Path
    mlflow: Any
    generation: Generation


def table(rows: int, seed: int = 0) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "air time": random.normal(100, 50, rows),
            "größe": np.where(random.random(rows) < 0.1, np.nan, random.normal(size=rows)),
            "stops": random.integers(0, 5, rows),
            "weekend": random.random(rows) < 0.3,
            "carrier": random.choice(["AA", "ünï", "", None], rows),
            "ort": random.choice(["a", "b", "Zürich \U0001f6eb"], rows),
        }
    )


def voting(member: Any) -> Any:
    """What Slipway puts around a classifier that knows its classes by number."""
    return VotingClassifier([("model", member)], voting="soft")


def pipeline(estimator: Any) -> Any:
    """The regression reads the carrier as a text; the others read it as a category."""
    numbers = make_pipeline(SimpleImputer(), StandardScaler())
    one_hot = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    parts: list[Any] = [("numbers", numbers, ["air time", "größe", "stops"])]
    if isinstance(estimator, LinearRegression):
        parts += [("text", terms(), ["carrier"]), ("category", one_hot, ["ort"])]
    else:
        parts.append(("texts", one_hot, ["carrier", "ort"]))
    return make_pipeline(ColumnTransformer([*parts, ("rest", "passthrough", ["weekend"])]), estimator)


def target(kind: str, frame: pd.DataFrame) -> tuple[Any, DataType]:
    score = frame["air time"] + 40 * frame["stops"] + 60 * (frame["ort"] == "a")
    if kind.startswith("regression"):
        return score, DataType.double
    if kind == "binary":
        return (score > score.median()).astype(int), DataType.long
    return pd.cut(score, 3, labels=["früh", "on time", "late"]).astype(str), DataType.string


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Served]:
    """Return a function that gives the model of a kind of `ESTIMATORS`, or a known_ one; each is fitted once."""
    known: dict[str, Served] = {}

    def give(kind: str) -> Served:
        if kind not in known:
            known[kind] = _serve(kind, tmp_path_factory.mktemp(kind) / "model")
        return known[kind]

    return give


def _serve(kind: str, folder: Path) -> Served:
    frame = table(400)
    if kind.startswith("known_"):  # no text is missing in these
        kind, frame["carrier"] = kind.removeprefix("known_"), frame["carrier"].fillna("BB")
    wanted, output = target(kind, frame)
    model = pipeline(ESTIMATORS[kind]()).fit(frame, wanted)
    signature = ModelSignature(Schema(list(COLUMNS)), Schema([ColSpec(output)]))
    example = frame.head(2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        mlflow.sklearn.save_model(
            model,
            folder,
            signature=signature,
            input_example=example,
            pip_requirements=["scikit-learn"],
            serialization_format="skops",
            skops_trusted_types=sorted(TRUSTED_TYPES),
        )
        loaded = mlflow.pyfunc.load_model(str(folder))
    plan = compile_model(model)
    columns = tuple(InputColumn(spec.name, spec.type.name, spec.required) for spec in COLUMNS)
    text = (folder / "serving_input_example.json").read_text()
    ours = Signature(columns, output.name, text, plan.classes, plan.has_probabilities)
    generation = Generation(kind, 3, "0" * 64, 1, ours, plan, "", ())
    return Served(folder, loaded, generation)
