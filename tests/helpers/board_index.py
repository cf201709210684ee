"""The index of the board over a database, as the server makes it of its own stores."""

from functools import partial

from mlflow import MlflowClient
from mlflow.store.model_registry.sqlalchemy_store import SqlAlchemyStore as RegistryStore
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore as TrackingStore

from slipway.registry.demands.policy import policies_of
from slipway.registry.ledger import ledger_of
from slipway.server.tables.ledgers import LedgerTables
from slipway.server.tables.models import ModelTables
from slipway.workflows.board.index import BoardIndex


def index_of(uri: str) -> BoardIndex:
    """Return an index of the models and ledgers in the database at a URI."""
    registry, tracking = RegistryStore(uri), TrackingStore(uri, "unused")
    ledger = partial(ledger_of, MlflowClient(uri, uri))
    return BoardIndex(
        ModelTables(lambda: registry), LedgerTables(lambda: tracking), lambda name: policies_of(ledger(name))
    )
