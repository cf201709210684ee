"""The pipeline behind BentoML, by its guide: a service that loads the model, and an API that takes a DataFrame.

bentoml serve bentoml_service:Pipeline, with MODEL naming the file and WORKERS how many processes hold it.
"""

import os
from typing import Any

import bentoml
import joblib
import pandas as pd


@bentoml.service(workers=int(os.environ.get("WORKERS", "1")))
class Pipeline:
    """The parameter's name is the key of the request's body."""

    def __init__(self) -> None:
        self.model = joblib.load(os.environ["MODEL"])

    @bentoml.api(route="/invocations")
    def predict(self, dataframe_records: pd.DataFrame) -> dict[str, list[Any]]:
        return {"predictions": self.model.predict(dataframe_records).tolist()}
