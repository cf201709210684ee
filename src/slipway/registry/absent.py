"""How MLflow says that what was asked for is not there: said once, for its client's errors and for its answers alike."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlflow.exceptions import MlflowException

ABSENT = "RESOURCE_DOES_NOT_EXIST"
"""The error code of what is not there."""
_MALFORMED = "INVALID_PARAMETER_VALUE"


def is_absent(error: "MlflowException", *, or_malformed: bool = False) -> bool:
    """Say whether an error of MLflow means that what was asked for is not there.

    or_malformed: also where nothing of that name can ever be there, such as a run "x y" or a version 2**40.
    """
    return error.error_code == ABSENT or (or_malformed and error.error_code == _MALFORMED)
