import json
from dataclasses import replace
from pathlib import Path

from slipway.core.variants import VariantRecord, VariantRole, VariantState
from slipway.workflows.endpoint.variant_record import read_variants, write_variant

SEEN = VariantRecord(
    "m",
    VariantRole.CANARY,
    "Staging",
    0.05,
    VariantState.ENDED,
    4,
    3,
    1.0,
    2.0,
    "why",
    requests=9,
    bounds={"max_errors": 0.01},
)


def test_what_was_seen_is_read_as_it_was_written_of_each_role(tmp_path: Path) -> None:
    assert read_variants(tmp_path, "m") == []
    shadow = replace(SEEN, role=VariantRole.SHADOW, mean_distance=0.5)
    for record in (SEEN, shadow, replace(SEEN, model="other")):
        write_variant(tmp_path, record)
    assert read_variants(tmp_path, "m") == [shadow, SEEN]
    assert [path.name for path in sorted((tmp_path / "arms").iterdir())] == [
        "m-canary.json",
        "m-shadow.json",
        "other-canary.json",
    ]


def test_what_cannot_be_read_is_left_out(tmp_path: Path) -> None:
    write_variant(tmp_path, SEEN)
    path = tmp_path / "arms" / "m-canary.json"
    said = json.loads(path.read_text())
    for broken in ("", "[]", "{}", json.dumps(said | {"state": "odd"})):
        path.write_text(broken)
        assert read_variants(tmp_path, "m") == []


def test_a_home_that_cannot_be_written_keeps_nobody_from_serving(tmp_path: Path) -> None:
    (tmp_path / "arms").write_text("a file")
    write_variant(tmp_path, SEEN)
