"""The record of the version that a service served last, and the mark of a transition, on this disk."""

from pathlib import Path

import pytest

from slipway.registry.artifacts.local_cache import moved_at, remember, remembered, tell_moved
from slipway.registry.watch import Followed, Seen
from slipway.types import Stage

SEEN = Seen(3, Stage.PRODUCTION, "abc", "run")


def test_what_was_served_is_remembered_by_what_was_followed(tmp_path: Path) -> None:
    assert remembered(tmp_path, Followed("tides")) is None
    remember(tmp_path, Followed("tides"), SEEN)
    assert remembered(tmp_path, Followed("tides")) == SEEN
    assert remembered(tmp_path, Followed("tides", Stage.STAGING)) is None
    assert remembered(tmp_path, Followed("tides", version=3)) is None


def test_what_is_no_record_is_no_memory(tmp_path: Path) -> None:
    remember(tmp_path, Followed("tides"), SEEN)
    (record,) = (tmp_path / "models" / "tides").iterdir()
    for text in ("", "[]", '{"version": 3}', '{"version": 3, "stage": "Nowhere", "digest": "abc", "run_id": ""}'):
        record.write_text(text)
        assert remembered(tmp_path, Followed("tides")) is None


def test_a_transition_is_told_and_a_home_that_cannot_be_written_keeps_none_from_being_made(tmp_path: Path) -> None:
    assert moved_at(tmp_path, "tides") == 0
    tell_moved(tmp_path, "tides")
    assert moved_at(tmp_path, "tides") > 0
    (tmp_path / "file").touch()
    tell_moved(tmp_path / "file", "tides")


@pytest.mark.parametrize(
    ("followed", "said"),
    [(Followed("tides"), "tides in Production"), (Followed("tides", version=2), "tides version 2")],
)
def test_what_is_followed_reads_well(followed: Followed, said: str) -> None:
    assert str(followed) == said
