import pytest
from IPython.core.interactiveshell import InteractiveShell

from slipway.cells import in_notebook
from slipway.progress import bar, note, step


def test_without_a_terminal_and_a_notebook_each_step_is_a_line_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    with step("reading"), bar(3, "rows") as shown:
        shown.update()
    note("a note")
    told = capsys.readouterr()
    assert told.out == ""
    assert [line.partition(" · ")[0] for line in told.err.splitlines()] == ["  reading", "  a note"]


def test_ipython_in_a_terminal_is_no_notebook() -> None:
    try:
        InteractiveShell.instance()
        assert not in_notebook()
    finally:
        InteractiveShell.clear_instance()
