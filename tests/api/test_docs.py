"""docs/api.md sets each command beside its line of Python; both exist, and no command is left out."""

import ast
import re
from pathlib import Path

from slipway import Experiment, Model
from slipway.cli.app import COMMANDS

PAGE = (Path(__file__).parents[2] / "docs" / "api.md").read_text()
OBJECTS = {"Experiment": Experiment, "experiment": Experiment, "model": Model}


def test_each_command_has_its_line_or_is_named_as_one_for_the_terminal() -> None:
    (alone,) = re.findall(r"for the terminal alone: (.*?)\.\n", PAGE, re.DOTALL)
    beside = re.findall(r"^\| `slipway (\w+)", PAGE, re.MULTILINE)
    assert {*beside, *re.findall(r"`(\w+)`", alone)} == set(COMMANDS)


def test_each_line_calls_what_there_is() -> None:
    rows = re.findall(r"^\|[^|]*\|([^|]*)\|", PAGE, re.MULTILINE)
    lines = [line for row in rows for line in re.findall(r"`([^`]+)`", row)]
    assert len(lines) > 20
    for line in lines:
        node = ast.parse(line, mode="eval").body
        called = node.func if isinstance(node, ast.Call) else node
        assert isinstance(called, ast.Attribute) and isinstance(called.value, ast.Name), line
        assert hasattr(OBJECTS[called.value.id], called.attr), line
