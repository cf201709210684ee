"""A client of a tracking server, by its address."""

import pytest

from slipway.errors import UsageError
from slipway.tracking.client import connect


@pytest.mark.parametrize("address", ["ftp://models.example", "htp://127.0.0.1:5000"])
def test_an_address_that_mlflow_knows_no_store_for_says_how_one_begins(address: str) -> None:
    with pytest.raises(UsageError, match=r"is no address of a tracking server.*http://"):
        connect(address)
