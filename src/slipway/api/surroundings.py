"""The surroundings of a notebook or script: its settings, and errors in Slipway's words."""

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from slipway.foreign import in_own_words
from slipway.settings import Settings, project_above, quiet_libraries, read_settings


def settings_of(project: Path | str | None, tracking_uri: str | None) -> Settings:
    """Return the settings of a call, by the environment and the arguments, as the command line finds them.

    Args:
        project: the folder that holds `experiments/`; None for the nearest above the working directory.
        tracking_uri: the MLflow server; None for MLFLOW_TRACKING_URI, or else the server that `slipway up` keeps.
    """
    quiet_libraries(os.environ)
    warnings.filterwarnings("ignore", "IProgress not found")  # hyperopt's bars are not shown, so no widget is missed
    folder = project_above(Path.cwd()) if project is None else Path(project)
    return read_settings(os.environ, project=folder, tracking_uri=tracking_uri)


@contextmanager
def worded() -> Iterator[None]:
    """Raise the SlipwayError that says what the error of a library means; an error that is not known passes as it is."""
    try:
        yield
    except Exception as error:
        own = in_own_words(error)
        if own is None or own is error:
            raise
        raise own from error
