"""The release policy of a model on a guarded server, and who made a run as the server saw it."""

from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from tests.helpers.asking import REST, done, post, refused

from slipway.core.release.ledger import verify
from slipway.types import Stage

if TYPE_CHECKING:
    from conftest import Guarded

ROOT = "/api/2.0/slipway/models"
POLICY = "gates: {thresholds: {roc_auc: 0.7}}\nchange: {approvals: 1}\n"
MADE_BY = "slipway.made_by"


def named(who: str) -> dict[str, Any]:
    return {"headers": {"X-Slipway-User": who}}


def set_policy(server: "Guarded", model: str, who: str, text: str = POLICY) -> Any:
    asked = {"policy": text, "comment": "as agreed"}
    return server.ask("POST", f"{ROOT}/{model}/policies", who, json=asked, **named(who))


def approve(server: "Guarded", model: str, who: str, digest: str) -> Any:
    asked = {"digest": digest, "comment": "read it"}
    return server.ask("POST", f"{ROOT}/{model}/policies/approvals", who, json=asked, **named(who))


def shown(server: "Guarded", model: str) -> Any:
    return done(server.ask("GET", f"{ROOT}/{model}/policies", "edi"))


def test_a_policy_is_set_by_who_manages_the_model_and_changed_with_the_approval_that_it_asks_for(
    server: "Guarded",
) -> None:
    model = server.model()
    assert shown(server, model) == {
        "name": model, "in_force": None, "waiting": None, "approvals_needed": 0, "stands_in": 1,
    }  # fmt: skip
    if server.users:
        refused(set_policy(server, model, "edi"), f"edi may not set the release policy of {model}: that takes the perm")
    told = done(set_policy(server, model, "pia"))
    assert (told["action"], told["version"], told["by"]) == ("policy", 0, "pia")
    in_force = shown(server, model)["in_force"]
    assert in_force["text"] == POLICY and in_force["by"] == "pia" and in_force["digest"] == told["evidence"]
    changed = done(set_policy(server, model, "pia", "{}"))["evidence"]
    assert shown(server, model)["in_force"] == in_force and shown(server, model)["approvals_needed"] == 1
    refused(approve(server, model, "pia", changed), "pia set this policy: somebody else has to approve it")
    assert done(approve(server, model, "edi", changed))["action"] == "approve"
    now = shown(server, model)["in_force"]
    assert now["digest"] == changed and now["approved_by"] == ["edi"]
    ledger = server.ledger(model)
    assert (
        verify(ledger.entries(), {1: ledger.transitions()[0].stage, 2: server.state(model)[0][0][1]}, ledger.head) == []
    )


def test_a_wrong_call_about_a_policy_is_told_what_is_wrong(server: "Guarded") -> None:
    model = server.model()
    answer = set_policy(server, model, "pia", "gates:\n  approvals: {}\n")
    assert answer.status_code == 400 and "policy.yaml:2: gates.approvals: unknown key" in answer.json()["message"]
    for odd in ("a: &a [*a]", "[" * 5000, "", "- 1", "x" * 2_000_000):
        answer = set_policy(server, model, "pia", odd)
        assert answer.status_code in (400, 413), answer.text
    answer = server.ask("GET", f"{ROOT}/nowhere_at_all/policies", "edi")
    assert answer.status_code == 404 and model not in answer.text
    foreign = {"Origin": "https://elsewhere.example"}
    asked = {"policy": POLICY, "comment": "x"}
    assert server.ask("POST", f"{ROOT}/{model}/policies", "pia", json=asked, headers=foreign).status_code == 403
    refused(approve(server, model, "edi", "0" * 64), "no release policy is set")
    assert shown(server, model)["in_force"] is None


def test_what_the_board_shows_of_a_policy_links_to_no_version(server: "Guarded") -> None:
    model = server.model()
    done(set_policy(server, model, "pia"))
    page = server.ask("GET", f"/slipway/models/{model}", "edi").text
    assert "Release policy set: the first" in page and "versions/0" not in page
    assert server.ask("GET", f"/slipway/models/{model}/versions/2", "pia").status_code == 200


def test_the_maker_of_a_run_is_who_the_server_saw_and_nobody_changes_that(server: "Guarded") -> None:
    run = made_by_pia(server)
    tags = dict(server.past.get_run(run).data.tags)
    assert tags.get(MADE_BY) == ("pia" if server.users else None)
    for key in (MADE_BY, "Slipway.Made_By", f" {MADE_BY}"):
        for path, body in (
            ("runs/set-tag", {"run_id": run, "key": key, "value": "edi"}),
            ("runs/log-batch", {"run_id": run, "tags": [{"key": key, "value": "edi"}]}),
            ("runs/delete-tag", {"run_id": run, "key": key}),
            ("runs/create", {"experiment_id": "0", "tags": [{"key": key, "value": "edi"}]}),
        ):
            refused(
                server.ask("POST", f"{REST}/{path}", "admin", json=body), "says who made a run, as this server saw it"
            )
    assert dict(server.past.get_run(run).data.tags) == tags


def test_who_made_the_run_stays_an_author_of_what_a_colleague_registers(server: "Guarded") -> None:
    if not server.users:
        pytest.skip("without users nobody knows who made a run")
    model, run = server.model(), made_by_pia(server)
    info = server.past.get_run(run).info
    logged = server.past.create_logged_model(info.experiment_id, source_run_id=run).model_id
    mine = [{"key": MADE_BY, "value": "edi"}, {"key": "slipway.artifact_digest", "value": "d" * 64}]
    by_run = {"source": f"{info.artifact_uri}/model", "run_id": run}
    for born in (by_run, {"source": f"models:/{logged}", "model_id": logged}):  # a logged model names its run
        made = done(post(server, "model-versions/create", name=model, **born, tags=mine))["model_version"]
        tags = {tag["key"]: tag["value"] for tag in made["tags"]}
        assert (tags["slipway.author"], tags[MADE_BY]) == ("admin", "pia")
        asked = {"version": int(made["version"]), "stage": "Production", "comment": "mine", "overrides": ["policy"]}
        answer = server.ask("POST", f"{ROOT}/{model}/approvals", "pia", json=asked)
        refused(answer, f"pia is the author of version {made['version']}: somebody else has to approve it")
    copied = {"name": model, "source": f"models:/{model}/{made['version']}"}
    again = done(post(server, "model-versions/create", **copied))["model_version"]
    (makers,) = (tag["value"] for tag in again["tags"] if tag["key"] == MADE_BY)
    assert set(makers.splitlines()) == {"admin", "pia"}


def made_by_pia(server: "Guarded") -> str:
    hers = {"name": f"of pia {uuid4()}"}
    experiment = done(server.ask("POST", f"{REST}/experiments/create", "pia", json=hers))["experiment_id"]
    made = server.ask("POST", f"{REST}/runs/create", "pia", json={"experiment_id": experiment, "start_time": 1})
    return str(done(made)["run"]["info"]["run_id"])


def test_a_policy_names_users_alone_and_an_admin_stands_in_for_those_who_never_approve(server: "Guarded") -> None:
    if not server.users:
        pytest.skip("nobody has to log in on this server")
    model = server.model()
    named = "change: {approvals: 1, approvers: [edy]}\npromoters: [edi]\n"
    answer = set_policy(server, model, "pia", named)
    refused(answer, f"the release policy of {model} is not set, as it names people whom this server does not know")
    assert "change.approvers: there is no user 'edy'; did you mean 'edi'?" in answer.json()["message"]
    done(set_policy(server, model, "pia", named.replace("edy", "edi")))
    changed = done(set_policy(server, model, "pia", "{}"))["evidence"]
    asked = {"digest": changed, "comment": "edi has left", "as_admin": True}

    def stand_in(who: str) -> Any:
        return server.ask("POST", f"{ROOT}/{model}/policies/approvals", who, json=asked)

    refused(stand_in("edi"), "edi is no admin, who alone may stand in for those whom a policy asks for: ask admin")
    assert done(stand_in("admin"))["overrides"] == ["change"]
    now = shown(server, model)["in_force"]
    assert (now["digest"], now["as_admin"]) == (changed, "admin")
    page = server.ask("GET", f"/slipway/models/{model}", "edi").text
    assert "approved by admin, an admin, in place of those whom the policy before asked for" in page
    assert "edi has left" in page


def test_the_page_of_a_version_names_who_may_approve_it(server: "Guarded") -> None:
    if not server.users:
        pytest.skip("nobody has to log in on this server")
    name, digests = server.trained(False, False)
    done(set_policy(server, name, "pia", "gates: {approval: {approvers: [edi, ada]}}"))
    judged = done(server.judged(name, 2, digests[1], Stage.PRODUCTION, (1, digests[0])))
    reasons = {verdict["gate"]: verdict["reason"] for verdict in judged["verdicts"]}
    assert reasons["approval"].endswith("by `slipway approve`; edi may"), reasons
    page = server.ask("GET", f"/slipway/models/{name}/versions/2", "pia").text
    assert "; edi may" in page
