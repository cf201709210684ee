"""The words that people read are plain: in templates, in messages, in help, and in the documentation."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BANNED = {
    r"\bberths?\b": "say stage",
    r"(?<!scores )\badds? up\b(?! in | to )": "say that the ledger is whole and unaltered, or what is wrong with it",
    r"\bon what grounds\b": "say why",
    r"\b(?:judgement|verdict|gate|approval)s?\b(?: that)?(?: does not| do not)? stands?\b": "say counts, or is asked",
    r"\bstands? (?:for it|nowhere)\b": "say what it is",
    r"\bover_\w+_low\b": "say it as slipway.reports.words.evidence does",
    r"\b\w*(?:auc|loss|accuracy|precision|error|ms|megabytes|days)_bound\b": "say it as slipway.reports.words.evidence does",
    r"\b(?:stage|in) None\b|\(None\)": "say Stage.words or Stage.place",
}
"""Patterns of words that people did not understand, with what to write in their place."""
SHOWN = sorted((ROOT / "src" / "slipway" / "reports" / "templates").glob("*.j2"))
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
CODE = sorted((ROOT / "src" / "slipway").rglob("*.py"))


def texts(path: Path) -> Iterator[str]:
    """The texts of a module that may be shown: its strings, those of the docstrings apart that are no help of a command."""
    tree = ast.parse(path.read_text())
    docs = set() if "cli" in path.parts else {id(doc) for node in ast.walk(tree) for doc in _docstrings(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "X" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs:
            yield node.value


def _docstrings(node: ast.AST) -> Iterator[ast.Constant]:
    """The texts that stand alone: docstrings, and those after a constant."""
    for line in getattr(node, "body", []) if isinstance(getattr(node, "body", None), list) else []:
        if isinstance(line, ast.Expr) and isinstance(line.value, ast.Constant):
            yield line.value


def banned(text: str) -> list[str]:
    return [f"{found[0]!r}: {instead}" for pattern, instead in BANNED.items() if (found := re.search(pattern, text))]


@pytest.mark.parametrize("path", SHOWN + PAGES, ids=lambda path: path.name)
def test_pages_have_plain_words(path: Path) -> None:
    assert banned(re.sub(r"\{#.*?#\}", "", path.read_text(), flags=re.DOTALL)) == []


def test_messages_have_plain_words() -> None:
    found = [
        (str(path.relative_to(ROOT)), word)
        for path in CODE
        for text in texts(path)
        if " " in text
        for word in banned(text)
    ]
    assert found == []


@pytest.mark.parametrize(
    "text", ["all of it adds up", "version 2 is in None", "the judgement does not stand", "over_carrier_rule_low 0.01"]
)
def test_the_words_that_were_there_are_found(text: str) -> None:
    assert banned(text)
