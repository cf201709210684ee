"""The page to try a model, as HTML."""

import re

import pytest
from tests.helpers.stand_ins import generation

from slipway.serving.counters.models import Counters
from slipway.serving.front.try_page import page
from slipway.serving.inference.models import prepare


@pytest.mark.parametrize(("changed", "says"), [({}, "compiled"), ({"plan": None, "why_not": "no"}, "not compiled: no")])
def test_says_whether_it_is_compiled_apart_from_its_links(changed: dict, says: str) -> None:
    served = prepare(generation(**changed), Counters(("delays",), 1), 0, 10)
    words = " ".join(re.sub(r"<[^>]*>", "", page(served, []).decode()).split())
    assert f"Version 1 (Production), {says} · OpenAPI · ready · metrics" in words
