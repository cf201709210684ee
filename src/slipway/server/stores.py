"""The installation of the guarded stores where MLflow's handlers look for their stores."""

from mlflow.store.db.db_types import DATABASE_ENGINES

from slipway.errors import UsageError
from slipway.server._mlflow import registry_store, registry_stores, tracking_store, tracking_stores
from slipway.server.own_stores import OwnStores
from slipway.server.registry_guard import GuardedRegistry
from slipway.server.tracking_guard import GuardedTracking


def install_guarded_stores(stores: OwnStores) -> None:
    """Let MLflow's handlers make guarded stores for every database, and make them now, so that a failure shows at the start.

    Raises UsageError when MLflow made its stores before.
    """

    def tracking(store_uri: str, artifact_uri: str) -> GuardedTracking:
        return GuardedTracking(store_uri, artifact_uri, registry_store, stores.people)

    for scheme in DATABASE_ENGINES:
        tracking_stores.register(scheme, tracking)
        registry_stores.register(scheme, lambda store_uri: GuardedRegistry(stores, store_uri))
    made = tracking_store(), registry_store()
    if not isinstance(made[0], GuardedTracking) or not isinstance(made[1], GuardedRegistry):
        raise UsageError(
            "MLflow's stores were made before Slipway could guard them, or are not in a database; start the server with a "
            "database as its store"
        )
