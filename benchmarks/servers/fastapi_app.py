"""The pipeline behind bare FastAPI, by its tutorial: a typed body, a DataFrame of it, `predict`.

uvicorn fastapi_app:app, with MODEL naming the file. The function is `async` in its favour: a model that holds the interpreter
gains nothing from the threads that plain functions are given.
"""

import os
from typing import Any

import joblib
import pandas as pd
from fastapi import FastAPI
from pydantic import BaseModel

app = FastAPI()
model = joblib.load(os.environ["MODEL"])


class Rows(BaseModel):
    """Rows as MLflow's clients send them."""

    dataframe_records: list[dict[str, float | str]]


@app.get("/ping")
async def ping() -> None:
    return None


@app.post("/invocations")
async def invocations(rows: Rows) -> dict[str, list[Any]]:
    return {"predictions": model.predict(pd.DataFrame(rows.dataframe_records)).tolist()}
