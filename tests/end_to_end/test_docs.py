"""What the README says to type, typed: its files are written, its commands are run, in its order."""

import json
import re
import shlex
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest

from slipway.cli.app import COMMANDS, app
from slipway.core.spec._yaml import read_experiment
from slipway.registry.watch import Followed
from slipway.settings import Settings
from slipway.workflows.serve import serve

if TYPE_CHECKING:
    from conftest import Library

ROOT = Path(__file__).parents[2]
FENCE = re.compile(r"^```(\w+)[ ]?([^\n]*)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def blocks(page: Path, language: str) -> list[tuple[str, str]]:
    """The fenced blocks of a language: what stands behind its name, and the text."""
    return [(title.strip(), text) for kind, title, text in FENCE.findall(page.read_text()) if kind == language]


def commands(page: Path) -> list[list[str]]:
    lines = [re.split(r"  #| > | < | && ", line)[0] for _, text in blocks(page, "bash") for line in text.splitlines()]
    return [shlex.split(line) for line in lines if line.startswith("slipway ")]


def test_the_readme_leads_an_outsider_from_a_table_to_a_served_prediction(library: "Library", tmp_path, monkeypatch):
    readme = ROOT / "README.md"
    monkeypatch.chdir(tmp_path)
    ((script, code),) = blocks(readme, "python")
    (tmp_path / script).write_text(code)
    subprocess.run([sys.executable, script], check=True, cwd=tmp_path)

    for command in commands(readme):
        if command[1] == "up":
            continue  # the server of these tests is up
        if command[1] != "serve":
            said = library.slipway(*command[1:], "--project", tmp_path)
            assert said.code == 0, said.err
    assert (tmp_path / "scored.parquet").exists()
    assert "rides" in (tmp_path / "rides.html").read_text()

    (curl,) = [text for _, text in blocks(readme, "bash") if text.startswith("curl ")]
    words = shlex.split(curl.replace("\\\n", " "))
    serving = serve(Settings(tmp_path, library.home, library.uri), [Followed("rides")], port=0)
    try:
        body = words[words.index("-d") + 1].encode()
        request = urllib.request.Request(f"{serving.url}/invocations", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=120) as answer:
            assert json.loads(answer.read())["predictions"] in ([0], [1])
    finally:
        serving.stop()


def test_the_experiment_that_the_docs_write_by_hand_is_valid() -> None:
    written = [text for title, text in blocks(ROOT / "docs" / "experiment.md", "yaml") if title]
    assert [read_experiment(text).name for text in written] == ["rides"]


@pytest.mark.parametrize("page", ["README.md", *sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md"))])
def test_every_documented_command_exists_and_takes_what_is_written(page):
    for words in commands(ROOT / page):
        assert words[1] in COMMANDS, words
        command = app.get_command(click.Context(app), words[1])
        command.make_context(words[1], words[2:])  # refuses unknown options and missing arguments


def test_every_registry_script_that_is_documented_is_there():
    named = set(re.findall(r"registry_scripts/\w+\.py", (ROOT / "docs/promotion.md").read_text()))
    assert named and all((ROOT / name).is_file() for name in named)


@pytest.mark.parametrize("page", ["README.md", *sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md"))])
def test_every_link_within_the_project_leads_somewhere(page):
    links = re.findall(r"\]\(([^)#]+)", (ROOT / page).read_text())
    inside = [link for link in links if "://" not in link]
    assert all(((ROOT / page).parent / link).exists() for link in inside), inside
