"""A client of a tracking server that is known to answer."""

import logging
import warnings

import requests

from slipway.errors import NoServer, UsageError

_ANSWER_TIMEOUT_S = 10.0


def connect(uri: str) -> "MlflowClient":  # type: ignore[name-defined]  # noqa: F821
    """Return a client of the tracking server and registry at `uri`, which also becomes MLflow's own default.

    Raises NoServer when an HTTP server does not answer one request: MLflow's client would try for minutes. Raises UsageError
    for an address of a kind that MLflow does not know.
    """
    if uri.startswith(("http://", "https://")):
        _require_answer(uri)
    # Importing MLflow costs seconds, so a server that does not answer is found before.
    import mlflow
    from mlflow import MlflowClient

    logging.getLogger("mlflow").setLevel(logging.WARNING)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    warnings.filterwarnings("ignore", category=FutureWarning, module="mlflow")
    from mlflow.tracking.registry import UnsupportedModelRegistryStoreURIException

    try:
        client = MlflowClient(uri, uri)
    except UnsupportedModelRegistryStoreURIException:
        raise UsageError(
            f"'{uri}' is no address of a tracking server: one begins with http:// or https://, or is a database "
            "(sqlite:///FILE); see --tracking-uri and MLFLOW_TRACKING_URI"
        ) from None
    mlflow.set_tracking_uri(uri)
    mlflow.set_registry_uri(uri)
    return client


def runs_page(experiment: str, page: str) -> str:
    """Return the path of a page of an experiment's runs in MLflow's UI, which shows language models unless told otherwise.

    page: the part of the path behind `runs`, such as `/RUN_ID?`; it ends where a query may follow.
    """
    return f"experiments/{experiment}/runs{page}workflowType=machine_learning"


def _require_answer(uri: str) -> None:
    advice = "start one with `slipway up --detach`, or name another with --tracking-uri or MLFLOW_TRACKING_URI"
    try:
        answer = requests.get(f"{uri.rstrip('/')}/health", timeout=_ANSWER_TIMEOUT_S)
    except requests.RequestException as error:
        raise NoServer(f"no tracking server answers at {uri} ({type(error).__name__}); {advice}") from None
    if answer.status_code >= 500 or answer.status_code == 404:
        raise NoServer(f"what answers at {uri} is no healthy MLflow server (status {answer.status_code}); {advice}")
