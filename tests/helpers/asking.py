"""How tests ask a guarded server for more than one thing, as one who may do everything else, and read what it says."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from conftest import Guarded

ALL, REST = "admin", "/api/2.0/mlflow"


def refused(answer: Any, said: str) -> None:
    assert answer.status_code == 403, answer.text
    assert answer.json()["error_code"] == "PERMISSION_DENIED" and said in answer.json()["message"], answer.text


def done(answer: Any) -> Any:
    assert answer.status_code == 200, answer.text
    return answer.json() if answer.content else None


def post(server: "Guarded", what: str, **body: Any) -> Any:
    return server.ask("POST", f"{REST}/{what}", ALL, json=body)
