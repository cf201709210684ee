"""AutoGluon's `medium_quality`, which reads the table by itself. Runs in an environment of its own."""

import pandas as pd

from tabular.answers import Answers, of_classes, of_numbers
from tabular.predict import Predict
from tabular.task import Given

METRICS = {"log_loss": "log_loss", "rmse": "root_mean_squared_error"}


def fit(given: Given) -> Predict:
    from autogluon.tabular import TabularPredictor

    model = TabularPredictor(
        label=given.target,
        problem_type=given.task,
        eval_metric=METRICS[given.metric],
        path=str(given.folder / "autogluon"),
        verbosity=1,
    ).fit(given.train, time_limit=given.seconds, presets="medium_quality")
    model.persist()  # otherwise each call reads the models from the disk
    print(model.leaderboard().to_string())
    if given.task == "regression":
        return lambda rows: of_numbers(model.predict(rows))

    def predict(rows: pd.DataFrame) -> Answers:
        found = model.predict_proba(rows)
        return of_classes(found, list(found.columns))

    return predict
