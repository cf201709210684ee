"""The apps that `mlflow server --app-name slipway` and `--app-name slipway-auth` start."""

import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.middleware import Middleware

from slipway.errors import UsageError
from slipway.server.identity import Anybody, People
from slipway.settings import Settings, read_settings

if TYPE_CHECKING:
    from slipway.server.door.login import Accounts
    from slipway.server.own_stores import OwnStores
    from slipway.workflows.notices.reloading import Reloading


def create_app() -> Any:
    """Return MLflow's tracking server with its registry guarded."""
    from mlflow.server import app as flask_app
    from mlflow.server.fastapi_app import create_fastapi_app

    return _guarded(Anybody(), create_fastapi_app(flask_app), None)


def create_app_with_auth() -> Any:
    """Return MLflow's tracking server with its registry guarded, behind MLflow's basic auth."""
    from mlflow.server import app as flask_app

    from slipway.server.auth import ReadersRead, accounts, create_authenticated, users

    app = _guarded(users(), create_authenticated(flask_app), accounts())
    app.user_middleware.append(Middleware(ReadersRead))  # the innermost, since MLflow's auth says who asks
    return app


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
    from slipway.server.tables.index import board_index, warm_up

    if not hasattr(app, "user_middleware"):
        raise UsageError(
            "Slipway's server runs under uvicorn, MLflow's default; start it without --gunicorn-opts or the like"
        )
    if MLFLOW_ENABLE_WORKSPACES.get():
        raise UsageError("Slipway does not guard MLflow's workspaces; unset MLFLOW_ENABLE_WORKSPACES")
    serve_own_artifacts()
    take_no_jobs()
    # `slipway up` sets the variables of the home and of its notices; whoever starts `mlflow server` by hand may.
    settings, sealed = read_settings(os.environ, project=Path.cwd()), threading.Event()
    stores = OwnStores(people, settings.trusted_types, sealed.set)
    install_guarded_stores(stores)
    telling = start_telling(stores, sealed, settings)
    flask_app.register_blueprint(routes(stores))
    index = board_index(stores.ledger)
    flask_app.register_blueprint(
        blueprint(lambda: stores.client, people, index, add_static_prefix(""), settings.home, lambda: telling.problem)
    )
    # The first reading of 20,000 entries takes seconds and the first page a second, which no visitor has to wait for.
    threading.Thread(target=warm_up, args=(lambda: stores.client, index), name="board", daemon=True).start()
    flask_app.before_request(lambda: refuse_kept(stores))  # it runs after auth's hook, which was registered first
    # The innermost, so that auth, which MLflow adds as the outermost, is asked first.
    app.user_middleware += [Middleware(NoAssistant), Middleware(ArtifactGuard, stores=stores)]
    put_before(app, accounts, add_static_prefix(""))
    return app


def start_telling(stores: "OwnStores", sealed: threading.Event, settings: Settings) -> "Reloading":
    """Tell of ledger entries in threads of this process, while the server's home or SLIPWAY_NOTICES has a notices.yaml.

    Returns the notices as they are told now, which are read again when the file changes. Raises SlipwayError for a file that
    cannot be used, as `slipway up` does before it starts a server.
    """
    from slipway.workflows.notices.reloading import Reloading
    from slipway.workflows.notices.telling import keep_telling
    from slipway.workflows.promotion.registrar import LocalRegistrar

    reloading = Reloading(settings)
    keep_telling(
        reloading, lambda: stores.client, sealed, lambda name: LocalRegistrar(stores.client, "").reconcile(name)
    )
    return reloading
