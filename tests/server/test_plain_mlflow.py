"""A user of plain MLflow works on a guarded server as on any other: only Slipway's evidence is refused."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import mlflow
import mlflow.sklearn
import pandas as pd
import pytest
from mlflow import MlflowClient
from mlflow.entities import Feedback, Metric, Param, RunTag
from sklearn.linear_model import LinearRegression

if TYPE_CHECKING:
    from conftest import Guarded

X, Y = pd.DataFrame({"a": [0.0, 1.0, 2.0]}), [0.0, 1.0, 2.0]


@pytest.fixture(params=["pia", "admin"])
def client(server: "Guarded", request: pytest.FixtureRequest) -> Iterator[MlflowClient]:
    """The client of a user, whose MLflow speaks to the server; an admin differs from others where there are users."""
    if request.param == "admin" and not server.users:
        pytest.skip("without auth everybody is the same")
    with server.client(request.param) as client, pytest.MonkeyPatch.context() as patch:
        # What MLflow's own functions for these leave behind, in the environment too, other tests would find.
        patch.setattr("mlflow.tracking._tracking_service.utils._tracking_uri", server.uri)
        patch.setattr("mlflow.tracking._model_registry.utils._registry_uri", server.uri)
        patch.setattr("mlflow.tracking.fluent._active_experiment_id", None)
        patch.setenv("MLFLOW_EXPERIMENT_ID", "0")
        mlflow.set_experiment(f"plain {request.param}")
        try:
            yield client
        finally:
            mlflow.end_run()


def log_model(name: str | None = None) -> Any:
    return mlflow.sklearn.log_model(
        LinearRegression().fit(X, Y),
        name="model",
        registered_model_name=name,
        pip_requirements=["scikit-learn"],
        serialization_format="skops",
    )


def runs(client: MlflowClient, name: str) -> None:
    """Log to a run of one's own, come back to it, nest another one in it, and delete both."""
    with mlflow.start_run(run_name=name) as run:
        mlflow.log_params({"depth": 3})
        mlflow.log_metric("loss", 0.1)
        mlflow.log_text("text", "notes/a.txt")
        mlflow.log_input(mlflow.data.from_pandas(X, name="x"))
        with mlflow.start_run(nested=True) as child:
            mlflow.log_metric("loss", 0.2)
    with mlflow.start_run(run_id=run.info.run_id):
        mlflow.log_dict({"a": 1}, "notes/b.json")
        mlflow.set_tag("mlflow.note.content", "again")
    client.log_batch(run.info.run_id, [Metric("m", 1.0, 1, 0)], [Param("p", "1")], [RunTag("t", "1")])
    for each in (child, run):
        client.delete_run(each.info.run_id)
        client.restore_run(each.info.run_id)
        client.delete_run(each.info.run_id)


def models(client: MlflowClient, name: str) -> None:
    """Register models each way that there is, measure one, copy, alias and tag versions, and delete all of it."""
    with mlflow.start_run() as run:
        logged = log_model(name)
        mlflow.log_metric("test_loss", 0.1, model_id=logged.model_id)
        mlflow.register_model(logged.model_uri, name)
    mlflow.register_model(f"runs:/{run.info.run_id}/model", name, tags={"mine": "1"})
    copied = client.copy_model_version(f"models:/{name}/1", f"{name} copied")
    assert (int(copied.version), mlflow.pyfunc.load_model(f"models:/{name}/1").predict(X).shape) == (1, (3,))
    client.set_registered_model_alias(name, "champion", "1")
    client.set_model_version_tag(name, "1", "validation", "passed")
    client.delete_model_version_tag(name, "1", "validation")
    client.update_model_version(name, "1", "described")
    client.update_registered_model(name, "described")
    client.set_logged_model_tags(logged.model_id, {"mine": "1"})
    client.log_metric(run.info.run_id, "later", 1.0)  # a version without a digest of Slipway's freezes nothing
    client.delete_registered_model_alias(name, "champion")
    client.delete_model_version(name, "2")
    client.rename_registered_model(f"{name} copied", f"{name} renamed")
    for each in (f"{name} renamed", name):
        client.delete_registered_model(each)
    client.delete_run(run.info.run_id)


def experiments(client: MlflowClient, name: str) -> None:
    """Make, rename, tag, delete and restore an experiment in which nothing was registered."""
    made = client.create_experiment(name, tags={"team": "a"})
    client.set_experiment_tag(made, "mlflow.note.content", "what for")
    client.rename_experiment(made, f"{name} renamed")
    client.delete_experiment(made)
    client.restore_experiment(made)
    client.delete_experiment(made)


def prompts(client: MlflowClient, name: str) -> None:
    """Register a prompt twice, alias and tag it, and read it again."""
    mlflow.genai.register_prompt(name, "Say {{what}}.")
    mlflow.genai.register_prompt(name, "Say {{what}} loudly.", tags={"mine": "1"})
    mlflow.genai.set_prompt_alias(name, "production", 1)
    mlflow.genai.set_prompt_alias(name, "latest-good", 2)
    assert mlflow.genai.load_prompt(f"prompts:/{name}@production").version == 1
    client.set_prompt_tag(name, "team", "a")
    client.delete_prompt_tag(name, "team")
    client.delete_prompt_version(name, "2")


def traces(client: MlflowClient, name: str) -> None:
    """Trace a call, judge it, tag it, link it to a run, and delete it."""
    mlflow.tracing.enable()
    with mlflow.start_run() as run, mlflow.start_span(name) as span:
        span.set_inputs({"a": 1})
    mlflow.flush_trace_async_logging()
    mlflow.log_feedback(trace_id=span.trace_id, name="good", value=True)
    client.set_trace_tag(span.trace_id, "mine", "1")
    assert isinstance(client.get_trace(span.trace_id).info.assessments[0], Feedback)
    client.delete_traces(run.info.experiment_id, trace_ids=[span.trace_id])


def datasets(client: MlflowClient, name: str) -> None:
    """Make a set of rows for evaluation, fill it, tag it, and delete it."""
    made = client.create_dataset(name, experiment_id=[client.create_experiment(name)])
    made.merge_records([{"inputs": {"a": 1}}])
    client.set_dataset_tags(made.dataset_id, {"mine": "1"})
    client.delete_dataset(made.dataset_id)


def autolog(client: MlflowClient, name: str) -> None:
    """Fit with autologging on."""
    mlflow.sklearn.autolog(log_models=False, silent=True)
    try:
        with mlflow.start_run(run_name=name) as run:
            LinearRegression().fit(X, Y)
    finally:
        mlflow.sklearn.autolog(disable=True)
    assert client.get_run(run.info.run_id).data.params["fit_intercept"] == "True"


@pytest.mark.filterwarnings("ignore:Starting with pandas version 4.0 all arguments of all")
@pytest.mark.filterwarnings("ignore:.*Any type hint is inferred as AnyType")
@pytest.mark.parametrize("operation", [runs, models, experiments, prompts, traces, datasets, autolog])
def test_what_plain_mlflow_does_is_done(
    client: MlflowClient, operation: Callable[[MlflowClient, str], None], request: pytest.FixtureRequest
) -> None:
    who = request.node.callspec.params["client"]
    operation(client, f"plain_{operation.__name__}_{who}")
