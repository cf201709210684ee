"""The board's first pages, made for nobody when the server starts, so that no visitor waits for what each page needs once.

SQL is compiled, templates too, and pandas and pyarrow import what they left for later: a second for the first version's page.
"""

from collections.abc import Callable, Iterator, Sequence

from mlflow import MlflowClient

from slipway.reports.board import Frame, Visitor, model_page, version_page
from slipway.workflows.board import overview, version
from slipway.workflows.board.comparison import Comparisons
from slipway.workflows.board.index import BoardIndex, LedgerRow, ModelFacts


def first_pages(client: Callable[[], MlflowClient], index: BoardIndex) -> Iterator[str]:
    """Yield the page of the model that changed last, and that of its version that was judged last; nothing without models.

    Args:
        client: returns a client of the server's own stores.
        index: lists all models; its first reading of all ledgers is done by this.
    """
    models = index.models()
    if not models:
        return
    name = max(models, key=lambda each: each.changed_ms).name
    facts, rows = known = index.model(name)
    frame = Frame(Visitor(), model=name)
    yield model_page(overview.model_page(client(), name, known), None, frame)
    if facts and facts.versions:
        number = _judged_last(facts, rows)
        page = version.version_page(client(), name, number, frame.visitor, Comparisons(client), known)
        yield version_page(page, frame)


def _judged_last(facts: ModelFacts, rows: Sequence[LedgerRow]) -> int:
    """Return the version of the newest judgement, whose page has the most to read; without one the newest version."""
    there = [each.version.number for each in facts.versions]
    judged = [row.transition for row in rows if row.transition.action.judges and row.transition.version in there]
    return max(judged, key=lambda each: each.at_ms).version if judged else max(there)
