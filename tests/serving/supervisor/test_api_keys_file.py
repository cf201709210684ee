"""API keys in a file, and what becomes of a service when the file changes under it."""

import hashlib
import os
from pathlib import Path

import pytest

from slipway.errors import FileUnusable, UsageError
from slipway.serving.supervisor.api_keys_file import KeysFile, hashed


def sha(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def write(path: Path, text: str, at: int) -> None:
    path.write_text(text)
    os.utime(path, ns=(at, at))


def test_each_line_is_a_key_and_only_its_hash_is_kept(tmp_path: Path) -> None:
    write(tmp_path / "keys", "# of the dashboard\none\n\n  two \n", 1)
    assert KeysFile(tmp_path / "keys").hashes() == (sha("one"), sha("two"))


def test_a_file_that_changes_is_read_again_and_one_that_cannot_be_read_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    write(path, "one", 1)
    keys, said = KeysFile(path), list[str]()
    assert not keys.changed(said.append)
    write(path, "one\ntwo", 2)
    assert keys.changed(said.append)
    assert keys.hashes() == (sha("one"), sha("two"))
    assert not said
    write(path, "\n", 3)  # in the middle of being written
    assert not keys.changed(said.append)
    assert not keys.changed(said.append)
    assert said == [f"there is no API key in {path}; write one a line; the keys that were read before stay valid"]
    path.unlink()
    assert not keys.changed(said.append)
    assert len(said) == 2
    assert keys.hashes() == (sha("one"), sha("two"))


def test_a_file_without_a_key_is_no_open_door(tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("# none yet\n")
    with pytest.raises(UsageError, match="there is no API key in"):
        KeysFile(tmp_path / "keys")
    with pytest.raises(FileUnusable, match="cannot be read"):
        KeysFile(tmp_path / "nowhere")


def test_no_keys_at_all_ask_for_none() -> None:
    assert hashed([]) is None
