"""What the tests of compiled models share."""

from collections.abc import Iterator

import pytest
from threadpoolctl import threadpool_limits


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """The models' own threads wait for each other longer than they work, on machines that others use too."""
    with threadpool_limits(1):
        yield
