import pytest
from mlflow.exceptions import MlflowException
from mlflow.protos import databricks_pb2

from slipway.registry.absent import is_absent


@pytest.mark.parametrize(
    ("code", "absent", "or_malformed"),
    [
        ("RESOURCE_DOES_NOT_EXIST", True, True),
        ("INVALID_PARAMETER_VALUE", False, True),
        ("PERMISSION_DENIED", False, False),
        ("INTERNAL_ERROR", False, False),
    ],
)
def test_what_is_not_there_is_told_from_what_cannot_be_and_from_what_failed(
    code: str, absent: bool, or_malformed: bool
) -> None:
    error = MlflowException("it failed", error_code=getattr(databricks_pb2, code))
    assert is_absent(error) is absent
    assert is_absent(error, or_malformed=True) is or_malformed
