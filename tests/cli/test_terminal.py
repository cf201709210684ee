"""What other people wrote steers no terminal."""

import json
from dataclasses import dataclass
from typing import Any

import pytest

from slipway.cli._options import show
from slipway.cli._terminal import for_terminal
from slipway.cli.failures import report
from slipway.errors import Refusal

EVIL = "fine\x1b]0;title\x07\x1b[2J\x9b31m \u202egnorw\u2029\ud800"


@dataclass
class Said:
    text: str

    def as_dict(self) -> dict[str, Any]:
        return {"text": self.text}

    def __str__(self) -> str:
        return self.text


def test_what_steers_a_terminal_is_a_question_mark_and_all_else_stays() -> None:
    assert for_terminal(EVIL) == "fine?]0;title??[2J?31m ?gnorw??"
    plain = "two lines\n\tof Übermut, отток, 解約 and 👩\u200d👩 ✓"
    assert for_terminal(plain) == plain


def test_results_and_errors_are_printed_so(capsys: pytest.CaptureFixture[str]) -> None:
    show(Said(EVIL), as_json=False)
    assert report(Refusal(f"rejected by eve: '{EVIL}'"), []) == 1
    told = capsys.readouterr()
    for text in (told.out, told.err):
        assert "fine?]0;title??[2J" in text and "\x1b" not in text and "\u202e" not in text


def test_json_keeps_what_was_written(capsys: pytest.CaptureFixture[str]) -> None:
    show(Said("a\x1bb"), as_json=True)
    assert json.loads(capsys.readouterr().out) == {"text": "a\x1bb"}
