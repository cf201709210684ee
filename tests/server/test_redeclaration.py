"""A version is declared again through a guarded server: by whom, with which text, and what the board and the history say."""

from typing import TYPE_CHECKING, Any

from tests.helpers.asking import done, refused
from tests.helpers.trained import SPEC

from slipway.core.release.redeclaration import release_part
from slipway.core.spec import Experiment

if TYPE_CHECKING:
    from conftest import Guarded

ROOT = "/api/2.0/slipway/models"


def ask(server: "Guarded", model: str, who: str, text: str, comment: str = "a new owner") -> Any:
    asked = {"version": 2, "declaration": text, "comment": comment}
    return server.ask("POST", f"{ROOT}/{model}/redeclarations", who, json=asked, headers={"X-Slipway-User": who})


def test_an_approver_declares_a_version_again_and_the_thread_and_the_history_say_so(server: "Guarded") -> None:
    model, _ = server.trained(False, False)
    recorded = Experiment.model_validate(SPEC)
    part = release_part(recorded)
    text = part.model_copy(update={"scope": part.scope.model_copy(update={"owner": "them@example.com"})}).to_text()
    if server.users:
        refused(ask(server, model, "rea", text), "is a reader")
        refused(ask(server, model, "ada", text), "may not declare a version again of")
    refused(ask(server, model, "edi", part.to_text()), "is declared so already; nothing was written")
    refused(ask(server, model, "edi", text, "  "), "give it a comment")
    told = done(ask(server, model, "edi", text))
    assert (told["action"], told["by"]) == ("redeclare", "edi")
    assert "scope.owner" in told["verdicts"][0]["reason"]
    page = server.ask("GET", f"/slipway/models/{model}/versions/2", "edi").text
    assert "declared again" in page and "them@example.com" in page
    history = server.ask("GET", f"{ROOT}/{model}/history", "edi").json()
    assert history["movements"][-1]["action"] == "redeclare"


def test_a_text_that_is_no_redeclaration_is_told_so(server: "Guarded") -> None:
    model, _ = server.trained(False, False)
    for odd in ("", "{}", "[" * 5000, '{"scope": {"goal": "x"}, "search": {"seed": 1}}', "\u0000"):
        answer = ask(server, model, "edi", odd)
        assert answer.status_code in (400, 413) and "Traceback" not in answer.text, answer.text
