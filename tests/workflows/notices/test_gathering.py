"""From ledgers to the outbox: each entry once, none lost, whatever is killed, cut off, altered or begun late."""

import json
import signal
import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from mlflow import MlflowClient

from slipway.core.release.transitions import Action, Transition
from slipway.errors import Refusal
from slipway.notices.composing import notice_of_entry
from slipway.notices.outbox import Delivery
from slipway.processes import child_environment
from slipway.registry.ledger import Ledger, ledger_of, now_ms
from slipway.registry.stages import move
from slipway.settings import Settings
from slipway.types import Stage
from slipway.workflows.notices.configured import Notices, notices_of, outbox_file
from slipway.workflows.notices.gathering import gather
from slipway.workflows.promotion.registrar import LocalRegistrar

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy:DeprecationWarning"),
]
FILE = """
board: https://board.example
channels:
  - {name: all, kind: webhook, url: "http://127.0.0.1:9/"}
  - {name: moves, kind: webhook, url: "http://127.0.0.1:9/", notices: [promoted], models: [small]}
"""


def home(folder: Path) -> Notices:
    (folder / "notices.yaml").write_text(FILE)
    notices = notices_of(Settings(folder, folder))
    assert notices is not None
    notices.check()
    return notices


@pytest.fixture
def notices(tmp_path: Path) -> Notices:
    return home(tmp_path)


@pytest.fixture
def ledger(store: MlflowClient) -> Ledger:
    found = ledger_of(store, "small")
    assert found is not None
    return found


def write(ledger: Ledger, comment: str, action: Action = Action.PROMOTE, at_ms: int = 0) -> None:
    ledger.write(
        Transition(ledger.name, action, 3, Stage.PRODUCTION, "ana", at_ms or now_ms() + 1, comment=comment), {}
    )


def nothing_to_end(model: str) -> None:
    raise AssertionError(model)


def told(notices: Notices) -> list[Delivery]:
    return notices.outbox.latest(100)


def comments(notices: Notices, channel: str = "all") -> list[str]:
    return [each.notice.text.splitlines()[-1] for each in told(notices) if each.channel == channel]


def test_each_entry_is_told_once_to_the_channels_that_take_it(notices: Notices, ledger: Ledger) -> None:
    write(ledger, "one")
    gather(notices, ledger.client, nothing_to_end)
    gather(notices, ledger.client, nothing_to_end)
    write(ledger, "two", Action.ARCHIVE)
    gather(notices, ledger.client, nothing_to_end)
    assert comments(notices) == ["one.", "two."]
    assert comments(notices, "moves") == ["one."]
    assert told(notices)[0].notice.link == "https://board.example/slipway/models/small/versions/3"


def test_more_entries_than_are_read_at_once_are_all_told_in_their_order(notices: Notices, ledger: Ledger) -> None:
    write(ledger, "0")
    gather(notices, ledger.client, nothing_to_end)
    for number in range(1, 13):
        write(ledger, str(number), at_ms=now_ms() + number)
    gather(notices, ledger.client, nothing_to_end)
    assert comments(notices) == [f"{number}." for number in range(13)]


def test_what_happened_before_there_was_an_outbox_is_no_news(
    store: MlflowClient, ledger: Ledger, tmp_path: Path
) -> None:
    write(ledger, "long ago", at_ms=now_ms() - 3_600_000)
    notices = home(tmp_path)
    write(ledger, "now")
    gather(notices, store, nothing_to_end)
    assert comments(notices) == ["now."]


def test_an_entry_that_was_written_later_than_its_time_is_told(notices: Notices, ledger: Ledger) -> None:
    """A judgement has its time from before it waits for the mutex, and another entry may be written meanwhile."""
    write(ledger, "meanwhile", at_ms=now_ms() + 500)
    gather(notices, ledger.client, nothing_to_end)
    write(ledger, "waited", at_ms=now_ms() + 100)
    gather(notices, ledger.client, nothing_to_end)
    assert comments(notices) == ["meanwhile.", "waited."]


def test_an_entry_without_an_end_that_nobody_can_give_one_blocks_nothing(notices: Notices, ledger: Ledger) -> None:
    old = now_ms() - 130_000
    begun = replace_begun(notices, old - 1)
    ledger._open(Transition("small", Action.PROMOTE, 3, Stage.PRODUCTION, "ana", old, comment="cut off"), {}, {})
    write(ledger, "after it")

    def fails(model: str) -> None:
        raise Refusal("the mutex is held")

    gather(begun, ledger.client, fails)
    assert comments(begun) == []
    gather(begun, ledger.client, lambda _: None)
    assert comments(begun) == ["after it."]


def test_runs_that_are_no_part_of_the_chain_are_not_told(notices: Notices, ledger: Ledger) -> None:
    write(ledger, "one")
    facts = {
        "slipway.action": "promote",
        "slipway.version": "9",
        "slipway.stage": "Production",
        "slipway.entry": "f" * 64,
    }
    ledger.client.create_run(ledger.experiment, now_ms(), facts)
    write(ledger, "two", at_ms=now_ms() + 2)
    gather(notices, ledger.client, nothing_to_end)
    assert comments(notices) == ["one.", "two."]


def test_a_ledger_without_news_is_read_once(notices: Notices, ledger: Ledger) -> None:
    write(ledger, "long ago", at_ms=now_ms() - 3_600_000)
    gather(notices, ledger.client, nothing_to_end)
    assert notices.outbox.cursors() == {"small": ledger.head}
    write(ledger, "now")
    gather(notices, ledger.client, nothing_to_end)
    assert comments(notices) == ["now."]


def test_a_ledger_that_cannot_be_read_keeps_no_other_untold(
    notices: Notices, ledger: Ledger, caplog: pytest.LogCaptureFixture
) -> None:
    store = ledger.client
    store.create_experiment("a/promotions", artifact_location=str(notices.settings.home / "a"))
    other = ledger_of(store, "a")
    assert other is not None
    write(other, "unreadable")
    store.set_tag(other.entries()[0].run_id, "slipway.action", "of a newer Slipway")
    write(ledger, "one")
    gather(notices, store, nothing_to_end)
    assert comments(notices) == ["one."]
    assert "the ledger of a is not told" in caplog.text


def test_a_cursor_that_is_not_in_the_ledger_tells_nothing_twice(notices: Notices, ledger: Ledger) -> None:
    """A backup that was put back has an older ledger than its outbox; an altered ledger has other hashes."""
    write(ledger, "one")
    gather(notices, ledger.client, nothing_to_end)
    notices.outbox.add([], now_ms(), ("small", "f" * 64))
    write(ledger, "two")
    gather(notices, ledger.client, nothing_to_end)
    assert comments(notices) == ["one.", "two."]


def test_an_entry_that_somebody_is_at_work_on_is_told_when_it_is_sealed(notices: Notices, ledger: Ledger) -> None:
    made = Transition("small", Action.PROMOTE, 3, Stage.PRODUCTION, "ana", now_ms() + 1, comment="under way")
    with ledger.entry(made, {}):
        gather(notices, ledger.client, nothing_to_end)
        assert comments(notices) == []
    gather(notices, ledger.client, nothing_to_end)
    assert comments(notices) == ["under way."]


def test_an_entry_whose_writer_was_killed_is_brought_to_its_end_and_told_as_it_ended(
    notices: Notices, store: MlflowClient, ledger: Ledger
) -> None:
    store.create_registered_model("small")
    version = store.create_model_version("small", "s3://models/1").version
    at_ms = now_ms() - 130_000
    begun = replace_begun(notices, at_ms - 1)
    made = Transition("small", Action.PROMOTE, int(version), Stage.PRODUCTION, "ana", at_ms, comment="killed")
    ledger._open(made, {}, {})
    move(store, "small", int(version), Stage.PRODUCTION)
    gather(begun, store, LocalRegistrar(store, "").reconcile)
    assert comments(begun) == ["killed."]


def replace_begun(notices: Notices, at_ms: int) -> Notices:
    """The same notices with an outbox that has been there for longer."""
    with sqlite3.connect(notices.settings.home / "notices.db") as database:
        database.execute("UPDATE begun SET at_ms = ?", [at_ms])
    database.close()
    return replace(notices)


def test_a_full_disk_leaves_the_cursor_so_that_nothing_is_lost(
    notices: Notices, ledger: Ledger, caplog: pytest.LogCaptureFixture
) -> None:
    with sqlite3.connect(notices.settings.home / "notices.db") as database:
        database.execute("CREATE TRIGGER full BEFORE INSERT ON deliveries BEGIN SELECT raise(ABORT, 'disk full'); END")
    write(ledger, "one")
    gather(notices, ledger.client, nothing_to_end)
    assert "disk full" in caplog.text
    with database:
        database.execute("DROP TRIGGER full")
    database.close()
    gather(notices, ledger.client, nothing_to_end)
    assert comments(notices) == ["one."]


KILLED = """
import json, os, signal, sys
from contextlib import contextmanager
from pathlib import Path
from slipway.notices.notice import Notice
from slipway.notices.outbox import Outbox

class Dying(Outbox):
    @contextmanager
    def _writing(self):
        with super()._writing() as database:
            yield database
            assert database.execute("SELECT count(*) FROM deliveries").fetchone()[0] == 1
            os.kill(os.getpid(), signal.SIGKILL)  # written, and not committed

notice = Notice.from_dict(json.loads(sys.argv[2]))
Dying(Path(sys.argv[1])).add([(notice, "all")], 0, ("small", sys.argv[3]))
"""


@pytest.mark.slow
def test_a_kill_between_ledger_and_outbox_loses_nothing(notices: Notices, ledger: Ledger) -> None:
    write(ledger, "one")
    (entry,) = ledger.entries()
    notice, file = notice_of_entry(entry, notices.board), outbox_file(notices.settings.home)
    assert notice is not None
    words = [sys.executable, "-c", KILLED, str(file), json.dumps(notice.as_dict()), entry.hash]
    done = subprocess.run(words, env=child_environment({}), capture_output=True, text=True)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert (told(notices), notices.outbox.cursors()) == ([], {})
    gather(notices, ledger.client, nothing_to_end)
    assert comments(notices) == ["one."]
