"""The same table gives the same fingerprint, the same parts and the same winner, wherever it is kept."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from mlflow import MlflowClient
from tests.helpers.source_kinds import FILES, Put, put_into_postgres, to_parquet_bytes

from slipway.core.spec import Experiment, Source
from slipway.search import best_of
from slipway.search.proposals import Proposal
from slipway.search.question import run_trial
from slipway.workflows.project import Declared
from slipway.workflows.training.prepare import prepare, question_of
from slipway.workflows.training.search_run import log_what_is_searched

pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy:DeprecationWarning")
LOGISTIC = {"estimator": "sklearn.linear_model.LogisticRegression", "space": {"C": {"log_uniform": [1e-4, 10]}}}
COLUMNS = {
    "late": {"type": "int", "values": [0, 1]},
    "minutes": {"type": "float", "nulls": 0.3},
    "port": {"type": "category", "nulls": 0.3},
    "Net Sales": {"type": "int"},
    "loaded_at": {"type": "datetime", "feature": False},
}


def rides() -> pd.DataFrame:
    random = np.random.default_rng(5)
    late = random.integers(0, 2, 300)
    minutes = pd.Series(late / 2 + random.normal(size=300)).where(random.random(300) > 0.1)
    ports = pd.Series(random.choice(["007", "7", "b"], 300)).where(random.random(300) > 0.1)
    return pd.DataFrame(
        {
            "key": random.permutation(300),
            "loaded_at": pd.Timestamp("2026-01-01") + pd.to_timedelta(random.permutation(300), unit="h"),
            "port": ports.astype(object).where(ports.notna(), None),
            "minutes": minutes,
            "Net Sales": random.integers(0, 9, 300),
            "late": late,
        }
    )


def learned(declare: Callable[..., Experiment], folder: Path, put: Put, more: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return the digests, the better of two trials with its parameters and metrics, from the rows of a source."""
    source = put.source.model_dump(mode="json", exclude_none=True)
    data = {"source": source, "target": "late", "columns": COLUMNS, **more}
    experiment = declare(data=data, search={"metric": "roc_auc", "candidates": {"logistic": LOGISTIC}})
    spec = Declared(folder, "", experiment, put.variables)
    prepared = prepare(spec)
    question = question_of(spec, prepared)
    trials = [run_trial(question, Proposal(i, "logistic", {"C": c})) for i, c in enumerate((1e-4, 1.0))]
    best = best_of(trials, "roc_auc")
    return dict(prepared.digests), best.params, best.metrics


@pytest.mark.parametrize("more", [{}, {"id": "key"}], ids=["without an id", "with an id"])
def test_files_and_a_database_give_the_same_fingerprint_and_the_same_winner(
    declare: Callable[..., Experiment], tmp_path: Path, more: Mapping[str, Any]
) -> None:
    frame = rides()
    wanted = learned(declare, tmp_path, FILES["csv"](frame, tmp_path), more)
    shuffled = frame.sample(frac=1, random_state=1)
    for kind in ("csv of Europe", "parquet folder", "hive partitions", "json lines", "sqlite table"):
        (place := tmp_path / kind).mkdir()
        assert learned(declare, place, FILES[kind](shuffled, place), more) == wanted, kind


@pytest.mark.slow
def test_five_kinds_of_source_give_the_same_fingerprint_and_the_same_winner(
    declare: Callable[..., Experiment], tmp_path: Path, postgres: Any, s3: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in s3.environment.items():
        monkeypatch.setenv(name, value)
    frame = rides()
    shuffled = frame.sample(frac=1, random_state=1)
    bucket = s3()
    for i in range(2):
        s3.client.put_object(Bucket=bucket, Key=f"rides/{i}.parquet", Body=to_parquet_bytes(shuffled.iloc[i::2]))
    found = [
        learned(declare, tmp_path, put, {})
        for put in (
            FILES["csv"](frame, tmp_path),
            FILES["parquet folder"](shuffled, tmp_path),
            FILES["sqlite query"](shuffled, tmp_path),
            put_into_postgres(postgres(), shuffled),
            Put(Source(url=f"s3://{bucket}/rides/", format="parquet")),
        )
    ]
    assert found == [found[0]] * 5


@pytest.mark.slow
def test_no_secret_of_a_source_comes_into_a_run(
    declare: Callable[..., Experiment], store: MlflowClient, tmp_path: Path, postgres: Any
) -> None:
    put = put_into_postgres(postgres(), rides())
    data = {"source": put.source.model_dump(exclude_none=True), "target": "late", "columns": COLUMNS}
    experiment = declare(data=data)
    spec = Declared(tmp_path, "name: small", experiment, put.variables)
    run_id = store.create_run(store.get_experiment_by_name("small").experiment_id).info.run_id
    log_what_is_searched(store, run_id, spec, prepare(spec))
    run = store.get_run(run_id)
    assert {each.dataset.source for each in run.inputs.dataset_inputs} == {
        f'{{"uri": "{put.source.url}, table public.rides"}}'
    }
    kept = [path.read_bytes() for path in (tmp_path / "runs").rglob("*") if path.is_file()]
    assert len(kept) >= 2
    for text in (
        repr(spec),
        repr(run.to_dictionary()),
        *map(repr, kept),
        (tmp_path / "mlflow.db").read_bytes().decode("latin-1"),
    ):
        assert "team/word" not in text and "team%2Fword" not in text
