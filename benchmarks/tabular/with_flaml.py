"""FLAML with its own choice of estimators and its own treatment of columns; dates are read as dates."""

import warnings

import pandas as pd

from tabular.answers import of_classes, of_numbers
from tabular.predict import Predict
from tabular.task import SEED, Given

METRICS = {"log_loss": "log_loss", "rmse": "rmse"}


def fit(given: Given) -> Predict:
    from flaml import AutoML

    dates = [str(name) for name, column in given.inputs.items() if _is_date(column)]
    task = "regression" if given.task == "regression" else "classification"
    model = AutoML()
    model.fit(
        _read(given.inputs, dates),
        given.labels,
        task=task,
        metric=METRICS[given.metric],
        time_budget=given.seconds,
        seed=SEED,
        verbose=0,
        early_stop=False,
    )
    print(f"{model.best_estimator}: {model.best_config}")
    if given.task == "regression":
        return lambda rows: of_numbers(model.predict(_read(rows, dates)))
    return lambda rows: of_classes(model.predict_proba(_read(rows, dates)), model.classes_)


def _read(rows: pd.DataFrame, dates: list[str]) -> pd.DataFrame:
    return rows.assign(**{name: _moments(rows[name]) for name in dates})


def _is_date(column: pd.Series) -> bool:
    if pd.api.types.is_numeric_dtype(column):
        return False
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return bool(_moments(column).notna().sum() == column.notna().sum() > 0)


def _moments(column: pd.Series) -> pd.Series:
    return pd.to_datetime(column.astype(object), errors="coerce", utc=True, format="ISO8601").dt.tz_localize(None)
