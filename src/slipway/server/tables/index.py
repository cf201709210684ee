"""The index of the board over the server's own databases."""

from collections import deque
from collections.abc import Callable
from contextlib import suppress

from mlflow import MlflowClient

from slipway.registry.demands.policy import policies_of
from slipway.registry.ledger import Ledger
from slipway.server._mlflow import registry_store, tracking_store
from slipway.server.tables.ledgers import LedgerTables
from slipway.server.tables.models import ModelTables
from slipway.workflows.board.index import BoardIndex
from slipway.workflows.board.warming import first_pages


def board_index(ledger: Callable[[str], Ledger | None]) -> BoardIndex:
    """Return an index of the models and ledgers in the stores that MLflow's handlers use.

    ledger: returns the ledger of a model, for the files of its release policies.
    """
    return BoardIndex(ModelTables(registry_store), LedgerTables(tracking_store), lambda name: policies_of(ledger(name)))


def warm_up(client: Callable[[], MlflowClient], index: BoardIndex) -> None:
    """Read all ledgers and make the first pages once. A failure is left to the first visitor, who is told of it."""
    with suppress(Exception):
        deque(first_pages(client, index), maxlen=0)
