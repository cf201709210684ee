"""The settings, read once from the environment at the edge and handed down."""

import getpass
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, field
from pathlib import Path

from slipway.errors import UsageError


@dataclass(frozen=True)
class Settings:
    """Everything that Slipway takes from its environment.

    Attributes:
        project: the folder that holds `experiments/`.
        home: the folder of the embedded tracking server: database, artifacts, logs, its address.
        tracking_uri: the server to use; None for the one that `slipway up` started in `home`.
        user: the name that is written down for whoever moves a version.
        trusted_types: types that a model may hold beside those of Slipway's own list, such as `features.Ratio`.
        mlflow_run_id: the run that `mlflow run` opened for this process, if any.
        api_keys: the keys that a service accepts; without any, a service answers everybody.
        tracking_auth: user and password, or a token alone, for the tracking server; MLflow's client reads them itself.
        backend: the database of the embedded server, which may hold a password; None for SQLite in `home`.
        artifacts: the bucket of the embedded server; None for a folder in `home`.
        s3_endpoint: the address of S3 that MLflow's client uses, where it is not that of boto3.
        notices: the file that says who is told what; None for `notices.yaml` in `home`, where there is one.
        variables: all variables, from which the channels of that file take the secrets that they name.
        allowed_origins: the origins whose pages may ask the embedded server, beside its own.
    """

    project: Path
    home: Path
    tracking_uri: str | None = None
    user: str = "unknown"
    trusted_types: tuple[str, ...] = ()
    mlflow_run_id: str | None = None
    api_keys: tuple[str, ...] = field(default=(), repr=False)
    tracking_auth: tuple[str, str] | str | None = field(default=None, repr=False)
    backend: str | None = field(default=None, repr=False)
    artifacts: str | None = None
    s3_endpoint: str | None = None
    notices: Path | None = None
    variables: Mapping[str, str] = field(default_factory=dict, repr=False, compare=False)
    allowed_origins: tuple[str, ...] = ()

    @property
    def experiments(self) -> Path:
        return self.project / "experiments"


def read_settings(environment: Mapping[str, str], *, project: Path, tracking_uri: str | None = None) -> Settings:
    """Read the settings from an environment.

    The variables are SLIPWAY_HOME, SLIPWAY_USER, SLIPWAY_TRUSTED_TYPES, SLIPWAY_API_KEYS and SLIPWAY_ALLOWED_ORIGINS (these
    three comma separated), SLIPWAY_BACKEND, SLIPWAY_ARTIFACTS, SLIPWAY_NOTICES, MLFLOW_RUN_ID, MLFLOW_TRACKING_URI,
    MLFLOW_TRACKING_USERNAME, MLFLOW_TRACKING_PASSWORD, MLFLOW_TRACKING_TOKEN and MLFLOW_S3_ENDPOINT_URL.

    Args:
        environment: the variables of the process.
        project: the folder that holds `experiments/`.
        tracking_uri: the server to use, whatever the environment says.

    Raises UsageError for an unknown variable that starts with SLIPWAY_.
    """
    names = ("ALLOWED_ORIGINS", "API_KEYS", "ARTIFACTS", "BACKEND", "HOME", "NOTICES", "TRUSTED_TYPES", "USER")
    known = {f"SLIPWAY_{name}" for name in names}
    if unknown := sorted(key for key in environment if key.startswith("SLIPWAY_") and key not in known):
        raise UsageError(f"unknown setting {', '.join(unknown)}; there is: {', '.join(sorted(known))}")
    home, notices = environment.get("SLIPWAY_HOME"), environment.get("SLIPWAY_NOTICES")
    return Settings(
        project=project.resolve(),
        home=Path(home).resolve() if home else project.resolve() / ".slipway",
        tracking_uri=tracking_uri or environment.get("MLFLOW_TRACKING_URI") or None,
        user=environment.get("SLIPWAY_USER") or _login_name(),
        trusted_types=_listed(environment.get("SLIPWAY_TRUSTED_TYPES", "")),
        mlflow_run_id=environment.get("MLFLOW_RUN_ID") or None,
        api_keys=_listed(environment.get("SLIPWAY_API_KEYS", "")),
        tracking_auth=_auth(environment),
        backend=environment.get("SLIPWAY_BACKEND") or None,
        artifacts=environment.get("SLIPWAY_ARTIFACTS") or None,
        s3_endpoint=environment.get("MLFLOW_S3_ENDPOINT_URL") or None,
        notices=Path(notices).resolve() if notices else None,
        variables=dict(environment),
        allowed_origins=_listed(environment.get("SLIPWAY_ALLOWED_ORIGINS", "")),
    )


def _listed(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _auth(environment: Mapping[str, str]) -> tuple[str, str] | str | None:
    user, password = environment.get("MLFLOW_TRACKING_USERNAME"), environment.get("MLFLOW_TRACKING_PASSWORD")
    return (user, password) if user and password else environment.get("MLFLOW_TRACKING_TOKEN") or None


def _login_name() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user without a passwd entry
        return "unknown"


def project_above(folder: Path) -> Path:
    """Return the nearest folder with `experiments/`, the given one or above; the given one where there is none."""
    return next((parent for parent in (folder, *folder.parents) if (parent / "experiments").is_dir()), folder)


def quiet_libraries(environment: MutableMapping[str, str]) -> None:
    """Set the variables that libraries read when they are imported, where they are not set.

    They send no telemetry, MLflow writes no URL of each run to stdout, and OpenMP threads spin at a barrier for microseconds.
    With the default, milliseconds, a search takes twice as long when the cores are shared; with threads that sleep at once it
    takes five times as long when they are not. With a server that fails there is about half a minute of retries; by default
    MLflow retries each request for two minutes.
    """
    environment.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    environment.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
    environment.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    environment.setdefault("GOMP_SPINCOUNT", "10000")
    environment.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "4")
