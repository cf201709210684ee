"""The apps that `mlflow server --app-name slipway` and `--app-name slipway-auth` start."""

from threading import Thread
from typing import Any

from starlette.middleware import Middleware

from slipway.errors import UsageError
from slipway.server.identity import Anybody, People


def create_app() -> Any:
    """Return MLflow's tracking server with its registry guarded."""
    from mlflow.server import app as flask_app
    from mlflow.server.fastapi_app import create_fastapi_app

    return _guarded(Anybody(), create_fastapi_app(flask_app))


def create_app_with_auth() -> Any:
    """Return MLflow's tracking server with its registry guarded, behind MLflow's basic auth."""
    from mlflow.server import app as flask_app

    from slipway.server.auth import create_authenticated, users

    return _guarded(users(), create_authenticated(flask_app))


def _guarded(people: People, app: Any) -> Any:
    """Put the guard into the stores of MLflow's app, and Slipway's routes beside those of MLflow.

    Raises UsageError for a server that cannot be guarded.
    """
    from mlflow.environment_variables import MLFLOW_ENABLE_WORKSPACES
    from mlflow.server import app as flask_app

    from slipway.server._mlflow import add_static_prefix
    from slipway.server.api import routes
    from slipway.server.artifacts import ArtifactGuard, refuse_kept
    from slipway.server.board import blueprint
    from slipway.server.disabled_features import NoAssistant, take_no_jobs
    from slipway.server.limits import BodyLimit
    from slipway.server.own_stores import OwnStores, serve_own_artifacts
    from slipway.server.stores import install_guarded_stores
    from slipway.server.tables.index import board_index, warm_up

    if not hasattr(app, "user_middleware"):
        raise UsageError(
            "Slipway's server runs under uvicorn, MLflow's default; start it without --gunicorn-opts or the like"
        )
    if MLFLOW_ENABLE_WORKSPACES.get():
        raise UsageError("Slipway does not guard MLflow's workspaces; unset MLFLOW_ENABLE_WORKSPACES")
    serve_own_artifacts()
    take_no_jobs()
    stores = OwnStores(people)
    install_guarded_stores(stores)
    flask_app.register_blueprint(routes(stores))
    index = board_index()
    flask_app.register_blueprint(blueprint(lambda: stores.client, people, index, add_static_prefix("")))
    # The first reading of 20,000 entries takes seconds, which no visitor has to wait for.
    Thread(target=warm_up, args=(index,), name="board index", daemon=True).start()
    flask_app.before_request(lambda: refuse_kept(stores))  # it runs after auth's hook, which was registered first
    # The innermost, so that auth, which MLflow adds as the outermost, is asked first.
    app.user_middleware += [Middleware(NoAssistant), Middleware(BodyLimit), Middleware(ArtifactGuard, stores=stores)]
    return app
