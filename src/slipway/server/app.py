"""The apps that `mlflow server --app-name slipway` and `--app-name slipway-auth` start."""

from typing import TYPE_CHECKING, Any

from starlette.middleware import Middleware

from slipway.errors import UsageError
from slipway.server.identity import Anybody, People

if TYPE_CHECKING:
    from slipway.server.door.login import Accounts


def create_app() -> Any:
    """Return MLflow's tracking server with its registry guarded."""
    from mlflow.server import app as flask_app
    from mlflow.server.fastapi_app import create_fastapi_app

    return _guarded(Anybody(), create_fastapi_app(flask_app), None)


def create_app_with_auth() -> Any:
    """Return MLflow's tracking server with its registry guarded, behind MLflow's basic auth."""
    from mlflow.server import app as flask_app

    from slipway.server.auth import accounts, create_authenticated, users

    return _guarded(users(), create_authenticated(flask_app), accounts())


def _guarded(people: People, app: Any, accounts: "Accounts | None") -> Any:
    """Put the guard into the stores of MLflow's app, Slipway's routes beside those of MLflow, and the door before all.

    Raises UsageError for a server that cannot be guarded.
    """
    from mlflow.environment_variables import MLFLOW_ENABLE_WORKSPACES
    from mlflow.server import app as flask_app

    from slipway.server._mlflow import add_static_prefix
    from slipway.server.api import routes
    from slipway.server.artifacts import ArtifactGuard, refuse_kept
    from slipway.server.board import blueprint
    from slipway.server.disabled_features import NoAssistant, take_no_jobs
    from slipway.server.door.entrance import put_before
    from slipway.server.own_stores import OwnStores, serve_own_artifacts
    from slipway.server.stores import install_guarded_stores

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
    flask_app.register_blueprint(blueprint(lambda: stores.client, people, add_static_prefix("")))
    flask_app.before_request(lambda: refuse_kept(stores))  # it runs after auth's hook, which was registered first
    # The innermost, so that auth, which MLflow adds as the outermost, is asked first.
    app.user_middleware += [Middleware(NoAssistant), Middleware(ArtifactGuard, stores=stores)]
    put_before(app, accounts, add_static_prefix(""))
    return app
