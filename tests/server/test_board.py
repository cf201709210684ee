"""The board's routes on a real store: what they answer, to whom, with which headers, and with how many questions."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from urllib.parse import quote

import pytest
from flask import Flask
from flask.testing import FlaskClient
from mlflow import MlflowClient
from tests.helpers.board_index import index_of

from slipway.core.release.ledger import Entry
from slipway.core.release.transitions import Action, Transition
from slipway.registry.ledger import Ledger
from slipway.registry.permissions import Access, Right
from slipway.registry.stages import move
from slipway.registry.trust import DIGEST
from slipway.registry.versions import list_versions
from slipway.server import board as routes
from slipway.server.api import OUTCOME
from slipway.server.board import blueprint
from slipway.server.identity import ALL_RIGHTS
from slipway.types import Stage, UserRole, Verdict
from slipway.workflows.board import overview as board_overview
from slipway.workflows.board.index import BoardIndex

pytestmark = pytest.mark.slow  # the file, more than each of its tests

SCRIPT = "<script>alert(1)</script>"
VERSIONS, ROUNDS = 6, 60


class Counting(MlflowClient):
    """A client that counts what it asks the store for."""

    asked = 0

    def __getattribute__(self, name: str) -> object:
        if name.startswith(("search_", "get_", "list_", "download_")):
            type(self).asked += 1
        return super().__getattribute__(name)


@dataclass
class Visitors:
    """Somebody who reads the models that they may read, and may do what they may."""

    auth: bool = False
    rights: frozenset[Right] = ALL_RIGHTS
    hidden: set[str] = field(default_factory=set)

    def who(self) -> str:
        return "jo"

    def may(self, model: str) -> frozenset[Right]:
        return self.rights

    def may_read(self, model: str) -> bool:
        return model not in self.hidden

    def staff(self, model: str) -> dict[str, UserRole]:
        return {"jo": UserRole.ADMIN, "mara": UserRole.AUTHOR, "zoe": UserRole.READER}

    def access(self) -> Callable[[str], Access]:
        return lambda model: Access(self.may_read(model), self.rights)


@dataclass(frozen=True)
class Served:
    client: Counting
    visitors: Visitors
    pages: FlaskClient

    def text(self, path: str, status: int = 200) -> str:
        answer = self.pages.get(f"/team/slipway/{path}")
        assert answer.status_code == status, answer.text
        return answer.text


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory, migrated_database: Path) -> Counting:
    """Two models: one that moves a lot, one whose only version was never touched."""
    folder = tmp_path_factory.mktemp("board")
    database = folder / "mlflow.db"
    shutil.copy(migrated_database, database)
    client = Counting(f"sqlite:///{database}", f"sqlite:///{database}")
    for name, versions in (("busy", VERSIONS), ("quiet", 1)):
        client.create_registered_model(name, description=f"What {name} is for.")
        experiment = client.create_experiment(name, artifact_location=str(folder / name))
        for number in range(versions):
            run = client.create_run(experiment).info.run_id
            client.create_model_version(
                name, f"runs:/{run}/model", run, tags={"slipway.author": "mara", DIGEST: f"{name} {number}"}
            )
    client.create_registered_model("busy.moving")
    fill(Ledger(client, "busy", client.create_experiment("busy/promotions", artifact_location=str(folder / "ledger"))))
    return client


def fill(ledger: Ledger) -> None:
    live = None
    for i in range(ROUNDS):
        version, at = i % VERSIONS + 1, 1_764_000_000_000 + 60_000 * i
        verdict = Verdict("thresholds", True, "enough", {"roc_auc": 0.8})
        evidence, comment = f"evidence {i - i % 3}", SCRIPT if i == ROUNDS - 1 else f"round {i}"
        action = (Action.JUDGE, Action.APPROVE, Action.PROMOTE)[i % 3]
        number = version - i % 3 if version - i % 3 > 0 else version
        told = Transition(
            "busy", action, number, Stage.PRODUCTION, "jo", at, live if action.moves else None, comment,
            (verdict,) if action is Action.JUDGE else (), evidence=evidence,
        )  # fmt: skip
        with ledger.entry(told, {}):
            if action.moves:
                move(ledger.client, "busy", number, Stage.PRODUCTION)
                live = number


@pytest.fixture(scope="module")
def index(store: Counting) -> BoardIndex:
    return index_of(store.tracking_uri)


@pytest.fixture
def served(store: Counting, index: BoardIndex) -> Iterator[Served]:
    visitors, app = Visitors(), Flask(__name__)
    app.register_blueprint(blueprint(lambda: store, visitors, index, "/team"))
    yield Served(store, visitors, app.test_client())


def test_the_overview_shows_every_model_but_the_mutexes(served: Served) -> None:
    text = served.text("")
    assert "What busy is for." in text and "What quiet is for." in text and "busy.moving" not in text
    assert "live since" in text


def test_the_pages_of_a_model_show_all_entries_once(served: Served) -> None:
    text = served.text("models/busy")
    assert f"All {ROUNDS} entries are as they were written" in text
    rows, pages = 0, 0
    while True:
        rows, pages = rows + text.count("<tr>") - 1, pages + 1
        if "?until=" not in text:
            break
        text = served.text("models/busy?until=" + text.partition("?until=")[2].partition("#")[0])
    assert (rows, pages) == (ROUNDS, 3)


def test_a_comment_is_text(served: Served) -> None:
    assert "alert(1)" in served.text("models/busy") and SCRIPT not in served.text("models/busy")


def test_what_does_not_add_up_is_told_and_soon_looked_at_again(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "unaltered" in served.text("models/quiet") or "Nothing has moved yet" in served.text("models/quiet")
    ledger = served.client.get_experiment_by_name("busy/promotions").experiment_id
    newest = served.client.search_runs([ledger], max_results=1)[0]
    assert "unaltered" in served.text("models/busy")
    served.client.set_tag(newest.info.run_id, "slipway.by", "somebody else")
    try:
        assert "The ledger was altered" not in served.text("models/busy")
        assert "altered: " in served.text("models/busy?verify=now")
    finally:
        served.client.set_tag(newest.info.run_id, "slipway.by", "jo")
    assert "altered: " in served.text("models/busy")
    monkeypatch.setattr(routes, "_FRESH_FINDINGS_S", 0)
    assert "unaltered" in served.text("models/busy")


def test_a_ledger_that_is_written_while_it_is_read_is_read_again(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page shows the stage of an entry that comes between, and not the entry."""
    read, late = Ledger.entries, Transition("busy", Action.ARCHIVE, 2, Stage.ARCHIVED, "jo", 1_765_000_000_000)

    def entries(ledger: Ledger, *asked: object) -> list[Entry]:
        found = read(ledger, *asked)  # type: ignore[arg-type]
        if len(found) == ROUNDS:
            with ledger.entry(late, {}):
                move(ledger.client, "busy", 2, Stage.ARCHIVED)
        return found

    monkeypatch.setattr(Ledger, "entries", entries)
    try:
        found = board_overview.verified_now(served.client, "busy")
        assert found is not None and (found.entries, found.findings) == (ROUNDS + 1, ())
    finally:
        take_back(served)


def take_back(served: Served) -> None:
    """Forget the newest entry, and put the version back that it archived."""
    move(served.client, "busy", 2, Stage.NONE)
    ledger = served.client.get_experiment_by_name("busy/promotions").experiment_id
    newest, before = served.client.search_runs([ledger], max_results=2)
    served.client.delete_run(newest.info.run_id)
    served.client.set_experiment_tag(ledger, "slipway.head", before.data.tags["slipway.entry"])


def test_a_long_ledger_is_read_through_only_when_asked(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(board_overview, "VERIFIED_AT_ONCE", ROUNDS - 1)
    assert "too long to be read through" in served.text("models/busy")
    assert "unaltered" in served.text("models/busy?verify=now") and "unaltered" in served.text("models/busy")


NOWHERE = [
    "nobody",
    "busy/versions/99",
    "busy/versions/none",
    f"busy/versions/{10**30}",
    "busy/versions/1/plots/no/roc.png",
]


@pytest.mark.parametrize("path", ["elsewhere", *(f"models/{path}" for path in NOWHERE)])
def test_what_does_not_exist_is_a_page_that_says_so(served: Served, path: str) -> None:
    assert "Not here" in served.text(path, 404)


def test_a_place_in_the_list_that_nobody_gave_out_is_no_crash(served: Served) -> None:
    assert "there is no parameter" in served.text("?from=nowhere", 400)
    assert "unaltered" in served.text("models/busy?until=yesterday")
    assert "unaltered" in served.text(f"models/busy?until={10**30}") and "unaltered" in served.text(
        "models/busy?until=-1"
    )


@pytest.mark.parametrize("name", ["o'brien", "o'br\"ien", "o''b%_"])
def test_a_name_with_quotes_is_one_as_any_other(served: Served, name: str) -> None:
    for each in (name, name.replace("'", "_")):
        served.client.create_registered_model(each)
        served.client.create_model_version(each, f"s3://bucket/{len(each)}")
    try:
        assert "What busy is for." in served.text("") and name in unescape(served.text(""))
        assert name in unescape(served.text(f"models/{quote(name)}"))
        assert [version.name for version in list_versions(served.client, name)] == [name]
    finally:
        for each in (name, name.replace("'", "_")):
            served.client.delete_registered_model(each)


def test_what_may_not_be_read_is_not_there(served: Served) -> None:
    served.visitors.hidden.add("busy")
    assert "busy" not in served.text("")
    for path in ("models/busy", "models/busy/versions/1", "models/busy/versions/1/plots/no/roc.png"):
        served.text(path, 404)


def test_buttons_are_for_the_roles_that_may(served: Served) -> None:
    assert 'value="archive"' in served.text("models/quiet/versions/1")
    served.visitors.rights = frozenset({Right.APPROVE})
    text = served.text("models/quiet/versions/1")
    assert "Approve for Production" in text and 'value="archive"' not in text
    served.visitors.rights = frozenset()
    assert "<button" not in served.text("models/quiet/versions/1")


def test_a_name_is_asked_for_where_the_server_does_not_know_it(served: Served) -> None:
    assert 'name="by"' in served.text("models/quiet/versions/1")
    served.visitors.auth = True
    text = served.text("models/quiet/versions/1")
    assert 'name="by"' not in text and "signed in as jo" in text


def test_what_became_of_a_button_is_told_once(served: Served) -> None:
    served.pages.set_cookie(OUTCOME, quote(f"Done: {SCRIPT} moved"), path="/team/slipway/")
    first = served.text("models/busy")
    assert "<b>Done.</b> &lt;script&gt;" in first
    assert "<b>Done.</b>" not in served.text("models/busy")


@pytest.mark.parametrize("path", ["", "models/busy", "models/busy/versions/1", "models/nobody", "board.css"])
def test_every_answer_carries_the_headers_that_browsers_hold_to(served: Served, path: str) -> None:
    headers = served.pages.get(f"/team/slipway/{path}").headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy and "frame-ancestors 'none'" in policy
    assert "form-action 'self'" in policy and "script-src" not in policy
    assert (headers["X-Frame-Options"], headers["X-Content-Type-Options"]) == ("DENY", "nosniff")
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cache-Control"] == ("no-store" if path != "board.css" else "private, max-age=300")


@pytest.mark.parametrize(("path", "most"), [("models/busy", 6), ("models/busy/versions/1", 21)])
def test_a_page_asks_the_store_little_however_long_the_ledger_is(served: Served, path: str, most: int) -> None:
    served.text(path)  # once, to have read the ledger through
    Counting.asked = 0
    served.text(path)
    assert 0 < Counting.asked <= most, Counting.asked


def test_the_pages_write_nothing(served: Served) -> None:
    before = {model.name for model in served.client.search_registered_models()}, experiments(served)
    for path in ("", "models/quiet", "models/quiet/versions/1"):
        served.text(path)
    assert ({model.name for model in served.client.search_registered_models()}, experiments(served)) == before
    assert "quiet/promotions" not in experiments(served)


def experiments(served: Served) -> set[str]:
    return {found.name for found in served.client.search_experiments()}


def test_a_version_that_is_judged_begins_with_its_decision_and_tells_of_the_same_model(served: Served) -> None:
    """Versions as a registry has them: 1 rolled back to, 2 rolled back from, 3 judged, 4 registered past Slipway."""
    client, name = served.client, "decided"
    client.create_registered_model(name)
    experiment = client.create_experiment(name)
    for digest in ("a", "b", "a", None):
        run = client.create_run(experiment).info.run_id
        client.create_model_version(
            name, f"runs:/{run}/model", run, tags={"slipway.artifact_digest": digest} if digest else {}
        )
    ledger = Ledger(client, name, client.create_experiment(f"{name}/promotions"))
    moves = ((Action.PROMOTE, 1, None), (Action.PROMOTE, 2, 1), (Action.ROLLBACK, 1, 2))
    for at, (action, number, replaced) in enumerate(moves):
        why = "calls fail since noon" if action is Action.ROLLBACK else ""
        let = (Verdict("thresholds", True, "enough"),) if action is Action.PROMOTE else ()
        told = Transition(
            name, action, number, Stage.PRODUCTION, "jo", 1_764_000_000_000 + at, replaced, why, let,
            digest="ab"[number - 1], evidence=f"e{at}",
        )  # fmt: skip
        with ledger.entry(told, {}):
            move(client, name, number, Stage.PRODUCTION)
    numbers = {
        "difference": 0.012,
        "low": 0.004,
        "high": 0.02,
        "roc_auc": 0.81,
        "champion_roc_auc": 0.8,
        "rows": 1200,
        "different": 7,
    }
    verdicts = (
        Verdict("not_worse_than_champion", True, "", numbers),
        Verdict("slices", False, "carrier OO: worse by 0.1 than with version 1, on 90 rows"),
    )
    judged = Transition(
        name, Action.JUDGE, 3, Stage.PRODUCTION, "ci", 1_764_000_000_009, 1, "", verdicts, digest="a", evidence="e"
    )
    ledger.write(judged, {})
    try:
        third = served.text(f"models/{name}/versions/3")
        assert (
            "Better than version 1 in Production by 0.0120 roc_auc (0.0040 to 0.0200) on 1,200 test rows; "
            "the same model as version 1" in third
        )
        assert "clearly worse for carrier OO. Refused by the gate slices." in third
        assert "Slices: carrier OO: worse by 0.1 than with version 1, on 90 rows." in third
        second, first = (served.text(f"models/{name}/versions/{number}") for number in (2, 1))
        assert "was rolled back: version 1 came back." in second and "It is in Production now." in first
        assert "stage Archived since 2025-11-24 16:00 UTC, by jo" in second
        for page in (second, first):
            assert "jo rolled back from version 2 to version 1, 2025-11-24 16:00 UTC: “calls fail since noon”." in page
        assert "Why this judgement does not count" not in first
        foreign = served.text(f"models/{name}/versions/4")
        assert (
            "Registered past Slipway" in foreign and 'value="promote"' not in foreign and 'value="archive"' in foreign
        )
        assert "the same model as version 1" in served.text(f"models/{name}")
    finally:
        client.delete_registered_model(name)


def test_the_overview_says_that_the_notices_go_on_as_before_and_names_no_address(
    store: Counting, index: BoardIndex
) -> None:
    app = Flask(__name__)
    why = "found 'https://hooks.example/secret'"
    app.register_blueprint(blueprint(lambda: store, Visitors(), index, untold=lambda: why))
    page = app.test_client().get("/slipway/").text
    assert "notices.yaml was changed and cannot be used, so notices go on as it said before" in page
    assert "<code>slipway notices check</code>" in page and "secret" not in page
