"""MLflow's server, imported once; what it does to SQLAlchemy is no concern of ours."""

import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    import mlflow.server.handlers  # noqa: F401
