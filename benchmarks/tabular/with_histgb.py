"""scikit-learn's histogram gradient boosting as it comes, with its own treatment of categories and missing values."""

from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from tabular.answers import of_classes, of_numbers
from tabular.predict import Predict
from tabular.prepared import prepare
from tabular.task import SEED, Given


def fit(given: Given) -> Predict:
    ready = prepare(given.inputs)
    kind = HistGradientBoostingRegressor if given.task == "regression" else HistGradientBoostingClassifier
    model = kind(categorical_features="from_dtype", random_state=SEED).fit(ready.columns(given.inputs), given.labels)
    if given.task == "regression":
        return lambda rows: of_numbers(model.predict(ready.columns(rows)))
    return lambda rows: of_classes(model.predict_proba(ready.columns(rows)), model.classes_)
