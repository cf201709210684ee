"""Puts the guarded stores where MLflow's handlers look for theirs."""

from mlflow.server import handlers
from mlflow.store.db.db_types import DATABASE_ENGINES

from slipway.errors import UsageError
from slipway.server.own_stores import OwnStores
from slipway.server.registry_guard import GuardedRegistry
from slipway.server.tracking_guard import GuardedTracking


def install_guarded_stores(stores: OwnStores) -> None:
    """Let MLflow's handlers make guarded stores, whatever the database, and make them now: a failure shows at the start."""
    for scheme in DATABASE_ENGINES:
        handlers._tracking_store_registry.register(scheme, _tracking)
        handlers._model_registry_store_registry.register(scheme, lambda store_uri: GuardedRegistry(stores, store_uri))
    made = handlers._get_tracking_store(), handlers._get_model_registry_store()
    if not isinstance(made[0], GuardedTracking) or not isinstance(made[1], GuardedRegistry):
        raise UsageError("MLflow's stores were made before Slipway could guard them, or are no database")


def _tracking(store_uri: str, artifact_uri: str) -> GuardedTracking:
    return GuardedTracking(store_uri, artifact_uri, handlers._get_model_registry_store)
