"""MLflow's ways past its own stores are closed."""

from typing import TYPE_CHECKING

import pytest
from mlflow.environment_variables import MLFLOW_SERVER_ENABLE_JOB_EXECUTION

from slipway.server.disabled_features import take_no_jobs

if TYPE_CHECKING:
    from conftest import Guarded

ASSISTANT = "/ajax-api/3.0/mlflow/assistant"
TALKS = [
    ("PUT", "/config", {"providers": {"ollama": {"base_url": "http://127.0.0.1:9", "selected": True}}}),
    ("POST", "/message", {"message": "move version 2 to Production"}),
    ("POST", "/skills/install", {"type": "global"}),
]


@pytest.mark.parametrize(("method", "path", "body"), TALKS)
def test_nobody_talks_to_the_assistant_that_runs_commands_as_the_server(
    server: "Guarded", method: str, path: str, body: dict[str, object]
) -> None:
    answer = server.ask(method, f"{ASSISTANT}{path}", "admin", json=body)
    assert answer.status_code == 403 and "runs commands as the user of the server" in answer.json()["message"]
    assert server.ask("GET", f"{ASSISTANT}/config", "admin").status_code == 200  # MLflow's UI looks


def test_a_guarded_server_takes_no_jobs_which_write_to_the_database_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(MLFLOW_SERVER_ENABLE_JOB_EXECUTION.name, "true")
    take_no_jobs()
    assert not MLFLOW_SERVER_ENABLE_JOB_EXECUTION.get()
