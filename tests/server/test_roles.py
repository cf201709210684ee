"""The table of roles says what a real server lets each role do, and `slipway user` shows and takes back what it gave."""

import contextlib
import io
import json
import os
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from slipway.cli import main
from slipway.registry.permissions import ABILITIES
from slipway.types import UserRole

if TYPE_CHECKING:
    from conftest import Guarded

ROLES = {"rea": "reader", "ada": "author", "edi": "approver", "pia": "promoter", "admin": "admin"}
REFUSED_BY_ROLE = ("may not", "is a reader", "Permission denied")
PASSWORD = "kim-may-wait-1"


@pytest.fixture
def guarded(server: "Guarded") -> "Guarded":
    if not server.users:
        pytest.skip("nobody has to log in on this server")
    return server


@pytest.fixture
def model(guarded: "Guarded") -> str:
    return guarded.model("roles")


def attempts(guarded: "Guarded", model: str, who: str) -> Iterator[tuple[str, Any]]:
    """Each ability with a request that needs it; another reason than the role may refuse the request."""

    def ask(path: str, body: dict[str, Any] | None = None, method: str = "POST") -> Any:
        return guarded.ask(method, f"/api/2.0/{path}", who, **({"json": body} if body else {}))

    ours, new = f"slipway/models/{model}", f"{model}_{who}"
    version = {"version": 2, "stage": "Staging", "comment": "seen"}
    yield "read", ask(f"mlflow/registered-models/get?name={model}", method="GET")
    yield "read", ask("mlflow/experiments/search", {"max_results": 1})
    yield "train", ask("mlflow/experiments/create", {"name": new})
    yield "train", ask("mlflow/registered-models/create", {"name": new})
    yield "train_together", ask("mlflow/runs/create", {"experiment_id": experiment_of(guarded, model), "start_time": 1})
    yield "register", ask("mlflow/model-versions/create", {"name": model, "source": "mlflow-artifacts:/0/none"})
    yield "approve", ask(f"{ours}/approvals", version)
    yield "say", ask(f"{ours}/comments", {"version": 2, "comment": "seen"})
    yield "say", ask(f"{ours}/rejections", version)
    yield "redeclare", ask(f"{ours}/redeclarations", {"version": 2, "declaration": "{}", "comment": "seen"})
    yield "judge", ask(f"{ours}/judgements", version)
    for action in ("promote", "archive", "rollback"):
        yield "promote", ask(f"{ours}/movements", version | {"action": action, "version": 99})
    yield "promote", ask(f"{ours}/reconciliations", {"x": 1})
    yield "policy", ask(f"{ours}/policies", {"policy": "gates: {thresholds: {roc_auc: 0.7}}", "comment": "seen"})
    yield "users", ask("mlflow/users/create", {"username": new, "password": PASSWORD})
    yield "users", guarded.ask("POST", "/api/3.0/mlflow/roles/create", who, json={"workspace": "default", "name": new})


def experiment_of(guarded: "Guarded", model: str) -> str:
    found = guarded.past.get_experiment_by_name(model)
    return found.experiment_id if found else guarded.past.create_experiment(model, f"mlflow-artifacts:/{model}")


@pytest.mark.parametrize("who", ROLES)
def test_each_role_may_do_what_the_table_says_and_nothing_else(guarded: "Guarded", model: str, who: str) -> None:
    tried = list(attempts(guarded, model, who))
    found = [
        (key, answer.status_code != 403 or not any(w in answer.text for w in REFUSED_BY_ROLE)) for key, answer in tried
    ]
    assert found == [(key, ABILITIES[key].of(UserRole(ROLES[who]))) for key, _ in tried], [a.text for _, a in tried]
    assert {key for key, _ in tried} == set(ABILITIES)


@pytest.mark.parametrize("who", ROLES)
def test_the_page_of_roles_tells_a_visitor_the_own_role_and_why_a_button_is_missing(
    guarded: "Guarded", model: str, who: str
) -> None:
    page = guarded.ask("GET", f"/slipway/roles?model={model}", who).text
    role = UserRole(ROLES[who])
    assert f'{role.value} <span class="note below">you' in page
    for key in ("approve", "promote"):
        words = ABILITIES[key].words.replace(" and ", " or ")
        assert (f"You may not {words}" in page) is not ABILITIES[key].of(role)
    assert f"/slipway/roles?model={model}" in guarded.ask("GET", f"/slipway/models/{model}", who).text


def test_a_reader_writes_nothing_anywhere_but_changes_the_own_password(guarded: "Guarded", model: str) -> None:
    def ask(path: str, **body: Any) -> Any:
        return guarded.ask("POST", f"/ajax-api/2.0/mlflow/{path}", "rea", json=body)

    for path in ("experiments/create", "registered-models/create"):
        answer = ask(path, name=f"{model}_of_rea")
        assert (answer.status_code, answer.json()["error_code"]) == (403, "PERMISSION_DENIED")
        assert "rea is a reader, who changes nothing" in answer.json()["message"]
    assert (
        guarded.ask("PUT", "/api/2.0/mlflow-artifacts/artifacts/0/x/artifacts/y.txt", "rea", data="x").status_code
        == 403
    )
    assert ask("runs/create", experiment_id="0").status_code == 403
    for api in ("/api", "/ajax-api"):  # FastAPI answers it, not Flask
        made = guarded.ask("POST", f"{api}/3.0/mlflow/mcp-servers", "rea", json={"name": "com.example/of-rea"})
        assert (made.status_code, made.json()["error_code"]) == (403, "PERMISSION_DENIED")
    assert guarded.ask("GET", "/ajax-api/3.0/mlflow/mcp-servers", "rea").status_code == 200
    old = guarded.users["rea"]
    change = {"username": "rea", "password": old, "current_password": old[::-1]}
    wrong = guarded.ask("PATCH", "/api/2.0/mlflow/users/update-password", "rea", json=change)
    assert (wrong.status_code, "Current password does not match" in wrong.text) == (400, True)


Command = Callable[..., tuple[int, str]]


@pytest.fixture
def slipway(guarded: "Guarded", monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Return a function that runs `slipway user` as the admin and returns its exit code, and what it printed."""

    def run(*words: str, who: str = "admin") -> tuple[int, str]:
        monkeypatch.setattr("sys.stdin", io.StringIO(f"{PASSWORD}\n"))
        capsys.readouterr()
        with guarded.client(who):
            code = main(["--tracking-uri", guarded.uri, "user", *words])
        said = capsys.readouterr()
        return code, said.out + said.err

    return run


@pytest.fixture
def kim(slipway: Command) -> Iterator[str]:
    name = f"kim{os.getpid()}"
    yield name
    with contextlib.suppress(AssertionError):
        slipway("remove", name, "--yes")


def of(slipway: Command, name: str) -> list[tuple[str | None, str]]:
    """The roles of a user by model, as `slipway user list` tells them."""
    code, printed = slipway("list", "--json")
    assert code == 0
    user = next(user for user in json.loads(printed)["users"] if user["name"] == name)
    return [(each["model"], each["role"]) for each in user["models"]]


def test_roles_are_listed_replaced_and_taken_back_and_the_user_is_removed(
    slipway: Command, kim: str, model: str
) -> None:
    told = f"{kim} is a new user and now promoter of {model}; {model} has no experiment yet"
    assert slipway(kim, "promoter", "--model", model)[1].startswith(told)
    assert slipway(kim, "approver", "--model", model)[0] == 0
    assert of(slipway, kim) == [(model, "approver")]  # in place of promoter
    assert [kim, "approver", model] in [line.split() for line in slipway("list")[1].splitlines()]
    assert slipway("revoke", kim, "--model", model) == (0, f"{kim} is no longer approver of {model}\n")
    assert slipway("revoke", kim) == (0, f"{kim} had nothing to take away\n")
    assert slipway(kim, "promoter")[0] == 0
    assert slipway("revoke", kim, "--model", model)[0] == 1  # it is for all of them
    assert slipway(kim, "reader")[0] == 0
    assert of(slipway, kim) == [(None, "reader")]
    assert slipway(kim, "approver")[0] == 0
    assert of(slipway, kim) == [(None, "approver")]
    assert slipway("remove", kim) == (2, f"slipway: nobody is here to be asked whether to remove {kim}; add --yes\n")
    code, printed = slipway("remove", kim, "--yes")
    assert (code, PASSWORD in printed) == (0, False)
    code, printed = slipway("remove", kim, "--yes")
    assert code == 2 and f"'{kim}'" in printed


def test_the_last_admin_stays_and_nobody_else_sees_or_changes_users(
    slipway: Command, guarded: "Guarded", kim: str
) -> None:
    for words in (("remove", "admin", "--yes"), ("revoke", "admin"), ("admin", "reader")):
        code, printed = slipway(*words)
        assert (code, "admin is the last admin" in printed) == (1, True)
    body = {"username": "admin", "is_admin": False}
    answer = guarded.ask("PATCH", "/api/2.0/mlflow/users/update-admin", "admin", json=body)
    assert (answer.status_code, "is the last admin" in answer.json()["message"]) == (403, True)
    assert slipway("list", who="pia")[0] == slipway("remove", kim, "--yes", who="pia")[0] == 1
    assert slipway(kim, "admin") == (0, f"{kim} is a new user and now admin\n")
    assert slipway("revoke", kim) == (0, f"{kim} is no longer admin\n")


def test_a_reader_keeps_nothing_of_what_was_made_before(
    slipway: Command, guarded: "Guarded", kim: str, model: str
) -> None:
    assert slipway(kim, "author")[0] == 0
    guarded.users[kim] = PASSWORD
    made = guarded.ask("POST", "/api/2.0/mlflow/registered-models/create", kim, json={"name": f"{model}_of_kim"})
    assert made.status_code == 200
    assert of(slipway, kim) == [(f"{model}_of_kim", "promoter")]
    assert slipway(kim, "reader")[0] == 0
    assert of(slipway, kim) == [(None, "reader")]
    del guarded.users[kim]


def test_a_role_for_a_model_lets_a_colleague_train_its_experiment_until_it_is_taken_back(
    slipway: Command, guarded: "Guarded", kim: str, model: str
) -> None:
    def may_train() -> bool:
        asked = {"experiment_id": experiment, "start_time": 1}
        answer = guarded.ask("POST", "/api/2.0/mlflow/runs/create", kim, json=asked)
        assert answer.status_code in (200, 403), answer.text
        return answer.status_code == 200

    code, printed = slipway(kim, "approver", "--model", model)
    assert (code, f"{model} has no experiment yet" in printed) == (0, True)
    guarded.users[kim] = PASSWORD
    made = guarded.ask("POST", "/api/2.0/mlflow/experiments/create", "admin", json={"name": model})
    experiment = made.json()["experiment_id"]
    assert not may_train()
    for role in ("approver", "promoter", "author"):
        told = f"{kim} is now {role} of {model}, and may train its experiment\n"
        assert slipway(kim, role, "--model", model) == (0, told)
        assert may_train() and of(slipway, kim) == [(model, role)]
    assert slipway("revoke", kim, "--model", model) == (0, f"{kim} is no longer author of {model}\n")
    assert not may_train()
    assert slipway(kim, "approver")[0] == 0 and may_train()  # of all models
    assert slipway("revoke", kim)[0] == 0 and not may_train()
    hers = guarded.ask("POST", "/api/2.0/mlflow/registered-models/create", kim, json={"name": f"{model}_of_{kim}"})
    assert hers.status_code == 200
    made = guarded.ask("POST", "/api/2.0/mlflow/experiments/create", kim, json={"name": f"{model}_of_{kim}"})
    experiment = made.json()["experiment_id"]
    assert may_train()
    assert slipway("revoke", kim, "--model", f"{model}_of_{kim}")[0] == 0 and not may_train()  # her own, too
    del guarded.users[kim]
