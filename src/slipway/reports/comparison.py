"""Two versions or runs side by side: as text for a terminal, and as one HTML page."""

from collections.abc import Sequence
from datetime import datetime

from slipway.core.release.changes import Changes
from slipway.core.statistics.comparison import Comparison
from slipway.core.statistics.disagreement import DisputedRow
from slipway.reports._comparison_lines import ComparedFact, facts, lineage, recorded, scored, settings
from slipway.reports._templates import render_html
from slipway.reports.words.comparison import (
    answer_words,
    disagreement_words,
    headline,
    right_sides,
    value_words,
    who_is_right,
)
from slipway.reports.words.spelling import number

_ROWS_IN_TEXT = 5


def comparison_page(comparison: Comparison, made: datetime, changes: Changes | None = None) -> str:
    """Write a comparison, made at the given time, as one HTML file that needs no other file.

    changes: what changed from the left side to the right one.
    """
    anew = comparison.on_same_rows
    return render_html(
        "comparison.html.j2",
        comparison=comparison,
        anew=anew,
        sides=(comparison.left, comparison.right),
        headline=headline(comparison),
        scored=scored(comparison),
        disagreement=disagreement_words(anew) if anew else "",
        who_is_right=who_is_right(comparison),
        disputed=[(row, right_sides(row, anew.task)) for row in anew.disputed] if anew else [],
        facts=facts(comparison),
        settings=settings(comparison),
        recorded=recorded(comparison),
        lineage=lineage(comparison),
        changes=changes,
        answer_words=answer_words,
        value_words=value_words,
        made=made,
    )


def comparison_text(comparison: Comparison, changes: Changes | None = None) -> str:
    """Write a comparison for a terminal; lines that differ are marked with ≠."""
    left, right = comparison.left.label, comparison.right.label
    title = [f"{comparison.name}: {left} and {right}", headline(comparison)]
    blocks = [
        _table("", left, right, [*facts(comparison), *settings(comparison)]),
        _anew(comparison),
        _disputed(comparison),
        _table(comparison.recorded_note, left, right, recorded(comparison)),
        _table("lineage", left, right, lineage(comparison)),
        *(_changed(changes, left, right) if changes else []),
    ]
    return "\n\n".join("\n".join(block) for block in (title, *blocks) if block)


def _changed(changes: Changes, left: str, right: str) -> list[list[str]]:
    """Return a block for each part that changed; the lineage names the code by its digests already."""
    parts = {"declaration": changes.declaration, "data": changes.data, "packages": changes.packages}
    blocks = [
        _table(
            f"{part}: what changed", left, right, [ComparedFact(c.what, c.before, c.now, differs=True) for c in lines]
        )
        for part, lines in parts.items()
    ]
    return [*blocks, [f"commits: {changes.link}"] if changes.link else []]


def _table(title: str, left: str, right: str, lines: Sequence[ComparedFact]) -> list[str]:
    if not lines:
        return []
    head = ComparedFact("", left, right)
    first, second = (max(len(getattr(line, key)) for line in (head, *lines)) for key in ("name", "left"))
    rows = [
        f"{'≠' if line.differs else ' '} {line.name:<{first}}  {line.left:<{second}}  {line.right}"
        for line in (head, *lines)
    ]
    return [title, *rows] if title else rows


def _anew(comparison: Comparison) -> list[str]:
    anew = comparison.on_same_rows
    if anew is None:
        return []
    left, right = comparison.left.label, comparison.right.label
    metrics = [(line.metric, number(line.left), number(line.right), line.words) for line in scored(comparison)]
    table = [("", left, right, ""), *metrics]
    first, second, third = (max(len(row[i]) for row in table) for i in range(3))
    rows = [f"  {a:<{first}}  {b:>{second}}  {c:>{third}}  {d}".rstrip() for a, b, c, d in table]
    doubt = [f"  but {anew.doubt}"] if anew.doubt else []
    return [f"scored anew on {anew.which}", *(rows if metrics else []), *doubt]


def _disputed(comparison: Comparison) -> list[str]:
    anew = comparison.on_same_rows
    if anew is None or anew.disagreement is None:
        return []
    shown = anew.disputed[:_ROWS_IN_TEXT]
    rest = f" (the first {len(shown)}; all are on the page and in --json)" if len(shown) < len(anew.disputed) else ""
    title = [f"{who_is_right(comparison)}{rest}:"] if shown else []
    return [disagreement_words(anew), *title, *(f"  {_row(row, comparison)}" for row in shown)]


def _row(row: DisputedRow, comparison: Comparison) -> str:
    values = ", ".join(f"{name}={value_words(value)}" for name, value in row.values.items())
    answers = ((comparison.left.label, row.left), (comparison.right.label, row.right))
    both = ", ".join(f"{label}: {answer_words(answer)}" for label, answer in answers)
    return f"true: {value_words(row.truth)}, {both} | {values}"
