"""The error by which MLflow says that something does not exist: for the errors of its client and the answers of its API."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlflow.exceptions import MlflowException

ABSENT = "RESOURCE_DOES_NOT_EXIST"
"""MLflow's error code for something that does not exist."""
_MALFORMED = "INVALID_PARAMETER_VALUE"


def is_absent(error: "MlflowException", *, or_malformed: bool = False) -> bool:
    """Say whether an error of MLflow means that something does not exist.

    or_malformed: also for a name that nothing can ever have, such as a run "x y" or a version 2**40.
    """
    return error.error_code == ABSENT or (or_malformed and error.error_code == _MALFORMED)
