"""The attempt matrix: who tries what, by which way, on which evidence, and what becomes of it on a guarded server."""

import json
import shutil
import warnings
from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import pytest
import requests
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from playwright.sync_api import Browser, BrowserContext, Page, Response

from slipway.core.release.judgement import approval
from slipway.core.release.ledger import verify
from slipway.core.release.transitions import Action, Transition
from slipway.identity import process_tags
from slipway.registry.ledger import now_ms
from slipway.types import Stage, Verdict
from slipway.workflows.promotion.registrar import LocalRegistrar
from slipway.workflows.promotion.transition import open_ledger

if TYPE_CHECKING:
    from conftest import Guarded

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
PATIENCE_MS = 60_000  # for a busy machine; an idle one answers in a second
DIGEST, OTHER = "d" * 64, "0" * 64
FINE = Verdict("thresholds", True, "as it was measured")
SERVED, CANDIDATE = 1, 2


class Way(StrEnum):
    CLIENT = "client"
    API = "/api"
    AJAX = "/ajax-api"
    UI = "MLflow's UI"
    ELSEWHERE_API = "/api from a page of another origin"
    ELSEWHERE_AJAX = "/ajax-api from a page of another origin"

    @property
    def elsewhere(self) -> bool:
        return self in (Way.ELSEWHERE_API, Way.ELSEWHERE_AJAX)


class Attempt(StrEnum):
    TRANSITION = "transition"
    ALIAS = "alias"
    TAG_SET = "tag set"
    TAG_DELETE = "tag delete"
    DELETE_SERVED = "delete served version"
    OWN_ALIAS = "alias of one's own"
    OWN_TAG = "tag of one's own"
    DELETE_CANDIDATE = "delete version never served"


class Held(StrEnum):
    """The entries in the ledger of the candidate, and the user who tries."""

    NONE = "no evidence"
    STALE = "stale evidence"
    OTHER = "evidence of another digest"
    FAILED = "evidence that did not pass"
    WEAKENED = "a declaration that is weaker than the one in Production"
    OTHER_POLICY = "evidence that went by another release policy"
    DECLARED_AGAIN = "evidence of before the version was declared again"
    REGISTERED_AGAIN = "evidence that its own author approves, of a version that a colleague registered"
    VALID = "valid evidence"
    WRONG_ROLE = "valid evidence, wrong role"
    FOREIGN_LOADER = "evidence of a model that MLflow loads otherwise"


def made(server: "Guarded", held: Held, kind: str) -> str:
    """Make a model whose candidate has that evidence; where it has files, its evidence is sent to the server."""
    if held is Held.FOREIGN_LOADER:
        name, (served, forged) = server.trained(False, True, kind=kind)
        assert server.judged(name, CANDIDATE, forged, Stage.PRODUCTION, (SERVED, served)).status_code == 403
        return name
    return server.model(
        kind,
        digest={Held.NONE: None, Held.OTHER: OTHER}.get(held, DIGEST),
        compared_with=None if held is Held.STALE else SERVED,
        verdict=VERDICTS.get(held, FINE),
        tags=TAGS.get(held, {}),
    )


def tries(held: Held) -> str:
    return "edi" if held is Held.WRONG_ROLE else "pia"


def passes(way: Way, attempt: Attempt, held: Held) -> bool:
    """All that is expected."""
    return not way.elsewhere and {
        Attempt.TRANSITION: held is Held.VALID,
        Attempt.OWN_ALIAS: True,
        Attempt.OWN_TAG: True,
        Attempt.DELETE_CANDIDATE: held is not Held.WRONG_ROLE,
    }.get(attempt, False)


VERDICTS = {
    Held.FAILED: Verdict("thresholds", False, "as it was measured"),
    Held.WEAKENED: Verdict("policy", False, "gates.approval number 1 → not asked for", {"weakened": 1, "unmet": 0}),
    Held.REGISTERED_AGAIN: approval(1, ()),
}
POLICY = "gates: {thresholds: {roc_auc: 0.7}, approval: {number: 1}}"
TAGS = {Held.REGISTERED_AGAIN: {"slipway.made_by": "pia", "slipway.author": "edi"}}


def prepare(server: "Guarded", held: Held, name: str) -> None:
    """Do what comes between the judgement and the attempt."""
    if held is Held.OTHER_POLICY:
        LocalRegistrar(server.past, "rita").set_policy(name, POLICY, "as agreed")
    elif held is Held.DECLARED_AGAIN:
        again = Transition(name, Action.REDECLARE, CANDIDATE, Stage.NONE, "edi", now_ms(), comment="a new owner")
        open_ledger(server.past, name).write(again, process_tags())
    elif held is Held.REGISTERED_AGAIN:
        asked = {"version": CANDIDATE, "stage": "Production", "comment": "it is good"}
        route = f"/api/2.0/slipway/models/{name}/approvals"
        refused = server.ask("POST", route, "pia", json=asked, headers={"X-Slipway-User": "pia"})
        assert refused.status_code == 403 and "pia is the author of version 2" in refused.text, refused.text
    elif held is Held.WEAKENED:
        asked = {"version": CANDIDATE, "stage": "Production", "comment": "it is good", "overrides": []}
        refused = server.ask("POST", f"/api/2.0/slipway/models/{name}/approvals", "pia", json=asked)
        assert refused.status_code == 403, refused.text


# name and what to send: method, path, body.
def asked(attempt: Attempt, name: str) -> tuple[str, str, dict[str, Any]]:
    candidate = {"name": name, "version": str(CANDIDATE)}
    return {
        Attempt.TRANSITION: (
            *("POST", "model-versions/transition-stage"),
            {**candidate, "stage": "Production", "archive_existing_versions": True},
        ),
        Attempt.ALIAS: ("POST", "registered-models/alias", {**candidate, "alias": "production"}),
        Attempt.TAG_SET: (
            "POST",
            "model-versions/set-tag",
            {**candidate, "key": "slipway.artifact_digest", "value": "1"},
        ),
        Attempt.TAG_DELETE: ("DELETE", "model-versions/delete-tag", {**candidate, "key": "slipway.artifact_digest"}),
        Attempt.DELETE_SERVED: ("DELETE", "model-versions/delete", {"name": name, "version": str(SERVED)}),
        Attempt.OWN_ALIAS: ("POST", "registered-models/alias", {**candidate, "alias": "blue"}),
        Attempt.OWN_TAG: ("POST", "model-versions/set-tag", {**candidate, "key": "mine", "value": "1"}),
        Attempt.DELETE_CANDIDATE: ("DELETE", "model-versions/delete", candidate),
    }[attempt]


def by_client(client: MlflowClient, attempt: Attempt, name: str) -> None:
    candidate = str(CANDIDATE)
    if attempt is Attempt.TRANSITION:
        client.transition_model_version_stage(name, candidate, "Production", archive_existing_versions=True)
    elif attempt in (Attempt.ALIAS, Attempt.OWN_ALIAS):
        client.set_registered_model_alias(name, "production" if attempt is Attempt.ALIAS else "blue", candidate)
    elif attempt is Attempt.TAG_SET:
        client.set_model_version_tag(name, candidate, "slipway.artifact_digest", "1")
    elif attempt is Attempt.OWN_TAG:
        client.set_model_version_tag(name, candidate, "mine", "1")
    elif attempt is Attempt.TAG_DELETE:
        client.delete_model_version_tag(name, candidate, "slipway.artifact_digest")
    else:
        client.delete_model_version(name, str(SERVED) if attempt is Attempt.DELETE_SERVED else candidate)


# What MLflow's UI remembers of somebody who has been here before; with the second, of somebody who likes the stages shown.
SEEN = {
    "mlflow.workflowType_v1": '"machine_learning"',
    "mlflow.assistant.fab.autoOpenedOnFirstLoad_v1": "true",
    "mlflow.assistant.panelOpen_v1": "false",
}
WITH_STAGES = {"_mlflow_user_setting_dismiss_next_model_registry_ui": "true"}
# It forgets a model that is not among the first hundred by name, and sends an alias of none.
FIRST = "a_model"


@pytest.fixture(scope="module")
def pages(chromium: Browser, server: "Guarded") -> Iterator[Callable[[Held, dict[str, str]], Page]]:
    """Return a function that opens a page of the one who tries, whose UI remembers something; his browser stays the same."""
    users: dict[str, BrowserContext] = {}

    def page(held: Held, remembered: dict[str, str]) -> Page:
        who = server.who(tries(held))
        key = f"{who} {sorted(remembered)}"
        if key not in users:
            credentials: Any = {"username": who[0], "password": who[1]} if who else None
            users[key] = chromium.new_context(viewport={"width": 1680, "height": 1000}, http_credentials=credentials)
            users[key].set_default_timeout(PATIENCE_MS)
            remember = f"for (const [k, v] of Object.entries({json.dumps(remembered)})) localStorage.setItem(k, v)"
            users[key].add_init_script(remember)
        return users[key].new_page()

    yield page
    for user in users.values():
        user.close()


def by_buttons(page: Page, attempt: Attempt) -> None:
    """Click through an attempt on the page of a version, up to the click that sends it."""
    if attempt is Attempt.TRANSITION:
        page.get_by_role("status").filter(has_text="None").click()
        page.get_by_role("menuitem", name="Transition to").filter(has_text="Production").click()
        page.get_by_role("checkbox").check()  # what is there goes to Archived
        page.get_by_role("dialog").get_by_role("button", name="OK").click()
    elif attempt in (Attempt.ALIAS, Attempt.OWN_ALIAS):
        page.get_by_role("button", name="Add", exact=True).first.click()
        page.get_by_role("combobox").click()
        page.keyboard.type("production" if attempt is Attempt.ALIAS else "blue")
        page.keyboard.press("Enter")
        page.get_by_role("button", name="Save aliases").click()
    elif attempt is Attempt.TAG_SET:
        evidence = page.get_by_role("row", name="slipway.artifact_digest")
        evidence.get_by_role("button").first.click()
        evidence.get_by_role("textbox").fill("1")
        evidence.get_by_role("button", name="Save").click()
    elif attempt is Attempt.TAG_DELETE:
        page.get_by_role("row", name="slipway.artifact_digest").get_by_role("button").last.click()
        page.get_by_role("button", name="Confirm").click()
    elif attempt is Attempt.OWN_TAG:
        page.get_by_placeholder("Name", exact=True).fill("mine")
        page.get_by_placeholder("Value", exact=True).fill("1")
        page.get_by_role("button", name="Add", exact=True).last.click()
    else:
        page.get_by_role("button", name="Open header dropdown menu").click()
        page.get_by_role("menuitem", name="Delete").click()
        page.get_by_role("dialog").get_by_role("button", name="Delete").click()


def try_in_browser(server: "Guarded", page: Page, attempt: Attempt, name: str) -> bool:
    """Make an attempt by clicking and return whether it was let through; what was refused is told on the page."""
    if attempt is Attempt.DELETE_SERVED:
        open_version(server, page, name, SERVED)
        page.get_by_role("button", name="Open header dropdown menu").click()
        assert page.get_by_role("menuitem", name="Delete").is_disabled()  # MLflow's UI does not offer it
        return False
    answered = clicked(server, page, attempt, name)
    assert answered.status in (200, 403), answered.text()
    if answered.status == 403 and "error_code" in answered.text():
        reason = answered.json()["message"].splitlines()[0]
        page.get_by_text(reason[:60]).first.wait_for()
    return bool(answered.status == 200)


def open_version(server: "Guarded", page: Page, name: str, version: int) -> None:
    """Go by the model's page to that of a version, which then has its model."""
    page.goto(f"{server.uri}/#/models/{name}")
    page.get_by_role("link", name=f"Version {version}").first.click()
    page.get_by_role("heading", name=f"Version {version}").wait_for()


def clicked(server: "Guarded", page: Page, attempt: Attempt, name: str) -> Response:
    """Click through an attempt on a fresh page and return what the server answered."""
    open_version(server, page, name, CANDIDATE)
    method, path, _ = asked(attempt, name)
    with page.expect_response(lambda answer: answer.request.method == method and answer.url.endswith(path)) as answered:
        by_buttons(page, attempt)
    return answered.value


def try_it(server: "Guarded", way: Way, attempt: Attempt, held: Held, name: str) -> bool:
    """Make an attempt and return whether it was let through; anything but a plain yes or a reasoned no is an error."""
    if way is Way.CLIENT:
        with server.client(tries(held)) as client, warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            try:
                by_client(client, attempt, name)
            except MlflowException as error:
                assert "403" in str(error) or error.error_code == "PERMISSION_DENIED", error
                return False
            return True
    method, path, body = asked(attempt, name)
    url = f"{server.uri}{way.partition(' ')[0]}/2.0/mlflow/{path}"
    page = {"Origin": "http://localhost:1"} if way.elsewhere else {}  # a browser adds the credentials
    answer = requests.request(method, url, json=body, headers=page, auth=server.who(tries(held)), timeout=60)
    assert answer.status_code in (200, 403), answer.text
    if answer.status_code == 403 and not answer.text.startswith("Permission denied"):  # MLflow's auth says no more
        assert answer.json()["error_code"] == "PERMISSION_DENIED"
        assert len(answer.json()["message"]) > 40
    return answer.status_code == 200


@pytest.mark.parametrize("held", Held)
@pytest.mark.parametrize("attempt", Attempt)
@pytest.mark.parametrize("way", Way)
def test_what_gets_through_is_what_the_evidence_and_the_role_allow(
    server: "Guarded", request: pytest.FixtureRequest, way: Way, attempt: Attempt, held: Held
) -> None:
    if held is Held.WRONG_ROLE and not server.users:
        pytest.skip("without auth there are no roles")
    name = made(server, held, FIRST if way is Way.UI else "model")
    prepare(server, held, name)
    before = server.state(name)
    if way is Way.UI:
        if CHROMIUM is None:
            pytest.skip("no Chromium on the PATH; `apt-get install chromium` brings it")
        aliased = attempt in (Attempt.ALIAS, Attempt.OWN_ALIAS)  # only the UI without stages sets aliases
        with request.getfixturevalue("pages")(held, SEEN if aliased else SEEN | WITH_STAGES) as page:
            through = try_in_browser(server, page, attempt, name)
    else:
        through = try_it(server, way, attempt, held, name)
    assert through is passes(way, attempt, held)
    after = server.state(name)
    assert (after != before) is through
    if attempt is Attempt.TRANSITION and through:
        assert [(number, stage) for number, stage, _ in after[0]] == [(2, "Production"), (1, "Archived")]
        assert after[1] == {"production": CANDIDATE}
        ledger = server.ledger(name)
        stages = {number: stage for number, stage, _ in after[0]}
        assert verify(ledger.entries(), stages, ledger.head) == []
        newest = ledger.transitions()[-1]
        assert newest.action is Action.PROMOTE and newest.by == ((server.users and "pia") or "unknown")
