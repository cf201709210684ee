"""The inputs of a version's judgement, where one of them is not there."""

from pathlib import Path
from typing import Any

import pytest

from slipway.errors import UntrustedModel
from slipway.registry.evidence.rescoring import verified_rows
from slipway.registry.trust import DIGEST
from slipway.registry.versions import Version
from slipway.types import Stage


def test_a_version_that_was_registered_without_its_rows_is_told_so(tmp_path: Path) -> None:
    never_asked: Any = None
    by_hand = Version("m", 1, Stage.NONE, "", "file:///elsewhere", 0, {DIGEST: "d" * 64})
    with pytest.raises(UntrustedModel, match="m version 1 was registered without the rows that it was tested on"):
        verified_rows(never_asked, by_hand, tmp_path)
