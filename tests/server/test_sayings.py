"""Rejections and comments through the server's own routes: who may, what is written, and what a rejection holds up."""

import io
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import requests
from mlflow.exceptions import MlflowException

from slipway.cli import main
from slipway.core.release.judgement import approval
from slipway.core.release.transitions import Action
from slipway.identity import process_tags
from slipway.registry.ledger import now_ms
from slipway.types import Verdict

if TYPE_CHECKING:
    from conftest import Guarded

ROOT = "/api/2.0/slipway"


def say(server: "Guarded", model: str, what: str, who: str = "edi", **facts: Any) -> requests.Response:
    payload = {"version": 2, "stage": "Production", "comment": "worse on Sundays", **facts}
    return server.ask("POST", f"{ROOT}/models/{model}/{what}", who, json=payload, headers={"X-Slipway-User": who})


def history(server: "Guarded", model: str, **asked: str) -> list[dict[str, Any]]:
    answer = server.ask("GET", f"{ROOT}/models/{model}/history", params=asked)
    return list(answer.json()["movements"])


def test_a_rejection_is_written_down_and_holds_up_the_version_by_every_way(server: "Guarded") -> None:
    model = server.model()
    done = say(server, model, "rejections").json()
    assert (done["action"], done["version"], done["by"], done["comment"]) == ("reject", 2, "edi", "worse on Sundays")
    assert done["evidence"] == history(server, model)[1]["evidence"] != ""
    before = server.state(model)
    move = {"action": "promote", "version": 2, "stage": "Production", "comment": ""}
    refused = server.ask("POST", f"{ROOT}/models/{model}/movements", json=move)
    assert refused.status_code == 403 and "rejected by edi: 'worse on Sundays'" in refused.json()["message"]
    with (
        server.client() as client,
        pytest.raises(MlflowException, match="rejected by edi"),
        pytest.warns(FutureWarning),
    ):
        client.transition_model_version_stage(model, "2", "Production", archive_existing_versions=True)
    assert server.state(model) == before
    again = say(server, model, "rejections")
    assert again.status_code == 403 and "edi has rejected this evidence already" in again.json()["message"]


@pytest.mark.parametrize(
    ("what", "facts", "status", "said"),
    [
        ("rejections", {"comment": "  "}, 403, "a rejection says why"),
        ("rejections", {"stage": "Staging"}, 403, "nothing was judged for Staging yet"),
        ("rejections", {"version": 1}, 403, "it is in Production already; roll back instead"),
        ("rejections", {"version": 9}, 404, "9"),
        ("rejections", {"comment": "x" * 2001}, 400, "2000 are allowed"),
        ("rejections", {"comment": "\u200b\u3164"}, 403, "a rejection says why"),
        ("comments", {"comment": "\n"}, 403, "the comment is empty"),
        ("comments", {"comment": "x" * 2001}, 400, "2000 are allowed"),
        ("comments", {"comment": 7}, 400, "has to be text"),
    ],
)
def test_what_says_nothing_or_too_much_is_refused_and_not_written(
    server: "Guarded", what: str, facts: dict[str, Any], status: int, said: str
) -> None:
    model = server.model()
    answer = say(server, model, what, **facts)
    assert (answer.status_code, said in answer.json()["message"]) == (status, True), answer.text
    assert len(history(server, model, comments="true")) == 2


def test_a_comment_is_in_the_ledger_and_in_the_history_where_it_is_asked_for(server: "Guarded") -> None:
    model = server.model()
    text = "which days?\n2026-01-01 00:00:00 UTC  version 2 → Production, by pia"
    assert say(server, model, "comments", comment=text).json()["action"] == "comment"
    assert [each["action"] for each in history(server, model)] == ["promote", "judge"]
    assert history(server, model, last="1")[0]["action"] == "judge"
    assert [each["comment"] for each in history(server, model, comments="true")][-1] == text
    newest = server.ledger(model).transitions(1)[0]
    assert (newest.action, newest.by, newest.stage) == (Action.COMMENT, "edi", "None")


def test_a_form_leads_back_to_the_thread_and_a_page_of_another_site_says_nothing(server: "Guarded") -> None:
    model, form = server.model(), {"version": "2", "comment": "which <b>days</b>?", "by": "edi"}
    route = f"{ROOT}/models/{model}/comments"
    foreign = server.ask("POST", route, "edi", data=form, headers={"Origin": "http://elsewhere.example"})
    assert foreign.status_code == 403 and len(history(server, model, comments="true")) == 2
    sent = server.ask("POST", route, "edi", data=form, headers={"Origin": server.uri}, allow_redirects=False)
    assert (sent.status_code, sent.headers["Location"]) == (303, f"/slipway/models/{model}/versions/2#thread")
    page = server.ask("GET", sent.headers["Location"].partition("#")[0], "edi").text
    assert "which &lt;b&gt;days&lt;/b&gt;?" in page and "<b>edi</b>" in page


def test_who_may_only_read_says_nothing(server: "Guarded") -> None:
    if not server.users:
        return  # everybody may
    model = server.model()
    words = ("user", "zoe", "approver", "--model", server.model())
    with server.client("admin"), pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stdin", io.StringIO("zoe-may-approve-1\n"))
        assert main(["--tracking-uri", server.uri, *words]) == 0
    server.users["zoe"] = "zoe-may-approve-1"
    for what, verb in (("rejections", "reject a version of"), ("comments", "comment on a version of")):
        answer = say(server, model, what, "zoe")
        assert answer.status_code == 403
        assert f"zoe may not {verb} {model}: that takes the permission EDIT" in answer.json()["message"]
    board = server.ask("GET", f"/slipway/models/{model}/versions/2", "zoe").text
    assert "/comments" not in board and "/rejections" not in board
    assert "Nothing waits for you" in server.ask("GET", "/slipway/work", "zoe").text


def test_commands_reject_comment_and_list(server: "Guarded", capsys: pytest.CaptureFixture[str]) -> None:
    model, at = server.model(), ("--tracking-uri", server.uri)
    with server.client("edi"):
        assert main([*at, "comment", model, "2", "which days?"]) == 0
        assert main([*at, "reject", model, "2", "--comment", "not these"]) == 0
        assert main([*at, "reject", model, "2", "--comment", "not these"]) == 1
        said = capsys.readouterr()
        assert said.out == "version 2 commented on\nversion 2 rejected for Production\n"
        assert "has rejected this evidence already" in said.err
        assert main([*at, "history", model]) == 0
        assert "which days?" not in (listed := capsys.readouterr().out) and "not these" in listed
        assert main([*at, "history", model, "--comments", "--last", "2"]) == 0
        assert "version 2 commented on, by " in (listed := capsys.readouterr().out) and len(listed.splitlines()) == 3
        assert main([*at, "history", model, "--comments", "--verify"]) == 2


def test_my_work_has_the_models_that_mlflows_permissions_let_me_decide_on(server: "Guarded") -> None:
    ours, others = (waiting_for_approval(server) for _ in range(2))
    if server.users:
        with server.client("admin"), pytest.MonkeyPatch.context() as patch:
            patch.setattr("sys.stdin", io.StringIO("yan-may-approve-1\n"))
            assert main(["--tracking-uri", server.uri, "user", "yan", "approver", "--model", ours]) == 0
        server.users["yan"] = "yan-may-approve-1"
    assert f"{ours} version 2</a>" in work(server, "yan") and f"{ours} version 2</a>" in work(server, "edi")
    assert (f"{others} version 2</a>" in work(server, "yan")) is not bool(server.users)
    assert f"{others} version 2</a>" in work(server, "edi")
    for model in (ours, others):
        assert f">{model}</a>" in server.ask("GET", f"/slipway/?q={model}", "yan").text
    assert server.ask("GET", "/slipway/?page=x").status_code == 400


def waiting_for_approval(server: "Guarded") -> str:
    model = server.model()
    verdicts = (Verdict("thresholds", True, "as it was measured"), approval(1, ()))
    judgement = replace(server.ledger(model).transitions(1)[0], at_ms=now_ms(), verdicts=verdicts)
    server.ledger(model).write(judgement, process_tags())
    return model


def work(server: "Guarded", who: str) -> str:
    """Every page of somebody's work: other tests leave work, too."""
    pages, address = "", "/slipway/work"
    while address:
        text = server.ask("GET", address, who).text
        found = re.search(r'rel="next" href="([^"]*)"', text)
        pages, address = pages + text, found[1] if found else ""
    return pages
