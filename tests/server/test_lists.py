"""The lists of the board on a real store: what is found, in which order and for whom, and that no list is ever stale."""

import re
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from mlflow import MlflowClient
from sqlalchemy import Engine, event
from tests.helpers.board_index import index_of
from tests.helpers.many_models import ManyModels

from slipway.core.release.transitions import Action, Transition
from slipway.core.release.work import ReviewState
from slipway.registry.ledger import Ledger, ledger_of, now_ms
from slipway.registry.permissions import Access, Right
from slipway.registry.stages import move
from slipway.server.board import blueprint
from slipway.server.identity import ALL_RIGHTS, Anybody
from slipway.types import Stage, Verdict
from slipway.workflows.board.index import BoardIndex
from slipway.workflows.board.warming import first_pages
from slipway.workflows.promotion.registrar import LocalRegistrar

pytestmark = pytest.mark.slow  # the file, more than each of its tests

MODELS = 44
GOOD = Verdict("thresholds", True, "enough", {"roc_auc": 0.8})


class Member(Anybody):
    """A user of a server with users, who may what `rights` says on all models but those that are hidden."""

    auth = True

    def __init__(self, name: str, rights: frozenset[Right] = ALL_RIGHTS, hidden: str = "") -> None:
        self.name, self.rights, self.hidden = name, rights, hidden

    def who(self) -> str:
        return self.name

    def may_read(self, model: str) -> bool:
        return model != self.hidden

    def access(self) -> Callable[[str], Access]:
        return lambda model: Access(self.may_read(model), self.rights)


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory, migrated_database: Path) -> MlflowClient:
    database = Path(shutil.copy(migrated_database, tmp_path_factory.mktemp("many") / "mlflow.db"))
    ManyModels(MODELS, 3, 20 * MODELS).into(database)
    return MlflowClient(f"sqlite:///{database}", f"sqlite:///{database}")


@pytest.fixture(scope="module")
def index(client: MlflowClient) -> BoardIndex:
    return index_of(client.tracking_uri)


@pytest.fixture
def seen(client: MlflowClient, index: BoardIndex) -> Callable[..., str]:
    return lambda path, people=Anybody(), status=200: page(client, index, path, people, status)  # noqa: B008


def page(client: MlflowClient, index: BoardIndex, path: str, people: Anybody, status: int) -> str:
    app = Flask(__name__)
    app.register_blueprint(blueprint(lambda: client, people, index))
    pages: FlaskClient = app.test_client()
    answer = pages.get(f"/slipway/{path}")
    assert answer.status_code == status, answer.text
    return answer.text


def models_of(text: str) -> list[str]:
    return re.findall(r'<h2><a href="/slipway/models/(model_\d+)">', text)


def work_of(text: str) -> list[str]:
    return re.findall(r'<td class="lead"><a href="/slipway/models/(model_\d+)/versions/3', text)


def test_all_models_are_on_some_page_once_and_the_links_lead_both_ways(seen: Callable[..., str]) -> None:
    text, found = seen(""), []
    while True:
        found += models_of(text)
        if 'rel="next"' not in text:
            break
        text = seen(re.search(r'rel="next" href="/slipway/([^"]*)"', text)[1].replace("&amp;", "&"))  # type: ignore[index]
    assert found == [f"model_{i:04d}" for i in range(MODELS)]
    assert 'rel="prev" href="/slipway/?page=2"' in text and f"{MODELS} models" in text


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("q=0007", [7]),
        ("q=MODEL_000", range(10)),
        ("stage=None&verdict=waiting", range(0, MODELS, 4)),
        ("stage=none&verdict=refused&owner=ben", range(1, MODELS, 4)),
        ("verdict=passes&stage=None", range(2, MODELS, 4)),
        ("verdict=never+judged", range(3, MODELS, 4)),
        ("stage=Staging", []),
        ("owner=nobody", []),
        ("q=000&order=newest", range(9, -1, -1)),
    ],
)
def test_what_is_asked_for_is_found(seen: Callable[..., str], asked: str, found: list[int]) -> None:
    text = seen(f"?{asked}")
    assert models_of(text) == [f"model_{i:04d}" for i in found][:20]
    assert f"{len(found)} of {MODELS} models" in text
    assert ("waits for approval" in text) is any(i % 4 == 0 for i in found)


def test_what_waits_longest_comes_first(seen: Callable[..., str]) -> None:
    since = [*range(0, MODELS, 4), *range(2, MODELS, 4)]  # judged, and after that approved
    assert models_of(seen("?order=waiting")) == [f"model_{i:04d}" for i in since[:20]]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("page=0", "has to be a whole number from 1 on"),
        ("page=x", "has to be a whole number from 1 on"),
        ("page=99", "this list has 3 pages now"),
        ("stage=Stagging", "did you mean &#39;Staging&#39;"),
        ("verdict=maybe", "passes, refused, waiting, never judged"),
        ("order=size", "name, newest, waiting"),
        ("colour=red", "there is no parameter &#39;colour&#39;"),
        (f"q={'x' * 300}", "up to 256 characters"),
        ("owner=%00", "up to 256 characters"),
    ],
)
def test_a_parameter_that_is_not_understood_is_a_page_that_says_so(
    seen: Callable[..., str], asked: str, said: str
) -> None:
    assert said in seen(f"?{asked}", status=400)


def test_my_work_is_what_i_may_do_and_what_was_said_of_mine(seen: Callable[..., str]) -> None:
    rita = Member("rita", frozenset({Right.APPROVE}))
    assert work_of(seen("work", rita)) == [f"model_{i:04d}" for i in range(0, MODELS, 4)]
    assert ">approve</span>" in seen("work", rita) and ">promote</span>" not in seen("work", rita)
    assert ">promote</span>" in seen("work", Member("pia")) and ">read</span>" not in seen("work", Member("pia"))
    ana = seen("work", Member("ana", frozenset({Right.APPROVE})))
    assert ">read</span>" in ana and ">approve</span>" not in ana  # all that waits to be approved is hers
    assert "Nothing waits for you" in seen("work", Member("zoe", frozenset()))
    assert "model_0000" not in seen("work", Member("rita", hidden="model_0000"))
    assert f"{MODELS - 1} models" in seen("", Member("rita", hidden="model_0000"))
    everybody = seen("work")
    assert all(f">{asked}</span>" in everybody for asked in ("approve", "promote", "read"))
    assert (
        work_of(everybody)[:3] == ["model_0000", "model_0003", "model_0004"]
        and 'href="/slipway/work?page=2"' in everybody
    )
    assert "page" in seen("work?page=9", status=400) and "parameter" in seen("work?q=a", status=400)


def test_a_change_of_a_release_policy_waits_for_those_whom_the_policy_before_names(
    client: MlflowClient, seen: Callable[..., str]
) -> None:
    def set_policy(text: str, why: str) -> None:
        LocalRegistrar(client, "pia").set_policy("model_0001", text, why)

    set_policy("change: {approvals: 1, approvers: [rob]}", "as agreed")
    link = 'href="/slipway/models/model_0001#policy">model_0001 release policy</a>'
    rob, zoe = (Member(name, frozenset({Right.APPROVE})) for name in ("rob", "zoe"))
    assert link not in seen("work", rob)
    set_policy("gates: {thresholds: {roc_auc: 0.6}}", "the season is over")
    page = seen("work", rob)
    assert link in page and "the season is over" in page
    assert link not in seen("work", zoe) and link not in seen("work", Member("rob", frozenset()))
    assert link in seen("work?page=2")  # without users it is everybody's
    said = seen("models/model_0001", rob)
    assert "by rob, and not by pia" in said and "--approve --as-admin" in said
    assert seen("models/model_0001/versions/1", rob)


def test_the_lists_ask_the_databases_little_whatever_is_in_them(seen: Callable[..., str]) -> None:
    seen("")
    statements: list[str] = []
    event.listen(Engine, "before_cursor_execute", count := lambda *asked: statements.append(asked[2]))
    try:
        for path in ("", "work"):
            seen(path)
    finally:
        event.remove(Engine, "before_cursor_execute", count)
    asked = [statement for statement in statements if statement.lstrip().upper().startswith("SELECT")]
    assert 0 < len(asked) <= 8, asked


def test_no_list_is_stale_after_an_entry_at_any_moment_of_it(client: MlflowClient, index: BoardIndex) -> None:
    """Each write of an entry is followed by a look; at its end the list is what an index says that never looked before."""
    name, number = "model_0003", 3
    ledger = ledger_of(client, name)
    assert ledger is not None

    def state() -> ReviewState:
        now, anew = ({m.name: m for m in each.models()} for each in (index, index_of(client.tracking_uri)))
        assert now == anew
        return now[name].versions[0].state

    def said(action: Action, **more: object) -> Transition:
        return Transition(
            name,
            action,
            number,
            Stage.PRODUCTION,
            "rita",
            now_ms(),
            2,
            digest="d3",
            evidence="E",
            **more,  # type: ignore[arg-type]
        )

    assert state() is ReviewState.NEVER
    with ledger.entry(said(Action.JUDGE, verdicts=(GOOD,)), {}):
        assert state() is ReviewState.NEVER  # not done yet
    assert state() is ReviewState.PASSES
    ledger.write(said(Action.REJECT, comment="no"), {})
    assert state() is ReviewState.REFUSED
    assert "rejected</span>" in page(client, index, f"?q={name}", Anybody(), 200)
    ledger.write(said(Action.APPROVE, comment="yes"), {})
    assert state() is ReviewState.PASSES
    with ledger.entry(said(Action.PROMOTE, verdicts=(GOOD,)), {}):
        move(client, name, number, Stage.PRODUCTION)
        assert state() is ReviewState.PASSES
        assert {m.name: m for m in index.models()}[name].versions[0].version.stage is Stage.PRODUCTION
    assert state() is ReviewState.PASSES
    with pytest.raises(RuntimeError), ledger.entry(said(Action.ARCHIVE), {}):
        raise RuntimeError("killed")
    assert state() is ReviewState.PASSES
    ledger.seal(ledger.unsealed()[0], complete=False)
    state()


def test_models_come_and_go_and_change_their_description(client: MlflowClient, index: BoardIndex) -> None:
    client.create_registered_model("aaa", description="New.")
    client.create_registered_model("aaa.moving")
    client.register_prompt("a_prompt", "Say {{this}}.")
    assert next((m.name, m.goal, m.versions) for m in index.models()) == ("aaa", "New.", ())
    client.update_registered_model("aaa", "Changed.")
    version = client.create_model_version("aaa", "mlflow-artifacts:/0/none", tags={"slipway.author": "mara"})
    first = index.models()[0]
    assert (first.goal, first.owner, len(first.versions)) == ("Changed.", "mara", 1)
    client.delete_model_version("aaa", version.version)
    assert index.models()[0].versions == ()
    client.delete_registered_model("aaa")
    assert index.models()[0].name == "model_0000"


def test_an_old_ledger_without_hashes_and_a_foreign_run_are_no_trouble(
    client: MlflowClient, index: BoardIndex, tmp_path: Path
) -> None:
    made = client.create_experiment("old/promotions", artifact_location=str(tmp_path))
    client.create_registered_model("old")
    client.create_model_version("old", "mlflow-artifacts:/0/none", tags={"slipway.artifact_digest": "d"})
    ledger = Ledger(client, "old", made)
    ledger.write(
        Transition("old", Action.JUDGE, 1, Stage.STAGING, "jo", 1, verdicts=(GOOD,), digest="d", evidence="E"), {}
    )
    entry = ledger.entries()[0].run_id
    for tag in ("slipway.entry", "slipway.previous", "slipway.seal"):
        client.delete_tag(entry, tag)
    client.create_run(made, tags={"slipway.comment": "put there by hand"})
    facts = {model.name: model for model in index.models()}["old"]
    assert facts.versions[0].state is ReviewState.PASSES and facts.versions[0].status.judged is Stage.STAGING


@pytest.mark.release
def test_a_thousand_models_and_20_000_entries_answer_in_half_a_second(tmp_path: Path, migrated_database: Path) -> None:
    """Each page but the first is asked five times, and the fastest counts: others may be at work on this machine."""
    for kind, many in (("wide", ManyModels()), ("long", ManyModels(10, 3, 20_090, 20_000))):
        database = Path(shutil.copy(migrated_database, tmp_path / f"{kind}.db"))
        many.into(database)
        uri = f"sqlite:///{database}"
        slow = dict(_slow_pages(MlflowClient(uri, uri), index_of(uri)))
        assert slow == {}, kind


def _slow_pages(client: MlflowClient, index: BoardIndex) -> Iterator[tuple[str, float]]:
    index.models()
    version = "models/model_0000/versions/3"
    for path in ("", "?order=waiting", "?verdict=waiting&q=model", "work", "models/model_0000", version):
        page(client, index, path, Anybody(), 200)
        took = []
        for _ in range(5):
            began = time.perf_counter()
            page(client, index, path, Anybody(), 200)
            took.append(time.perf_counter() - began)
        if min(took) > 0.5:
            yield path, min(took)


def test_the_first_pages_are_those_of_the_model_that_changed_last(client: MlflowClient, index: BoardIndex) -> None:
    newest = max(index.models(), key=lambda each: each.changed_ms).name
    of_model, of_version = first_pages(lambda: client, index)
    assert f"<title>{newest}" in of_model
    assert re.search(rf"<title>{newest}\W+version \d+", of_version)


def test_a_server_without_models_has_no_first_pages(tmp_path: Path, migrated_database: Path) -> None:
    database = Path(shutil.copy(migrated_database, tmp_path / "mlflow.db"))
    empty = MlflowClient(f"sqlite:///{database}", f"sqlite:///{database}")
    assert list(first_pages(lambda: empty, index_of(empty.tracking_uri))) == []
