"""Results as a notebook shows them: a small piece of HTML that needs nothing else and suits light and dark pages."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from slipway.reports._templates import render_html
from slipway.types import Verdict


@dataclass(frozen=True)
class Sheet:
    """A result for a notebook.

    Attributes:
        title: one line that says what happened.
        passed: whether it is good news; None where that is no question.
        said: a sentence below the title.
        facts: names with their values.
        verdicts: the verdicts of gates, each with its reason.
        columns: the head of a table; empty for no table.
        rows: the rows of the table.
        warnings: what a reader has to look at.
        links: names with the addresses that they lead to.
    """

    title: str
    passed: bool | None = None
    said: str = ""
    facts: Mapping[str, object] = field(default_factory=dict)
    verdicts: Sequence[Verdict] = ()
    columns: Sequence[str] = ()
    rows: Sequence[Sequence[object]] = ()
    warnings: Sequence[str] = ()
    links: Mapping[str, str] = field(default_factory=dict)

    def as_html(self) -> str:
        """Return the HTML, with every value escaped."""
        return render_html("notebook.html.j2", sheet=self)
