"""An evidence bundle travels whole, and any other zip is refused."""

import io
import json
import zipfile
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.core.gates import Latency, Measured, Newest, Reproduced
from slipway.core.statistics.metrics import Outcome
from slipway.errors import UsageError
from slipway.registry.evidence import bundle as bundle_module
from slipway.registry.evidence.bundle import EvidenceBundle
from slipway.types import Stage, Verdict


def answers(rows: int, classes: int, seed: int) -> Outcome:
    rng = np.random.default_rng(seed)
    truth = np.random.default_rng(0).integers(0, max(classes, 2), rows).astype(float)
    scores = None if classes == 0 else rng.random(rows) if classes == 2 else rng.random((rows, classes))
    return Outcome(truth, rng.integers(0, max(classes, 2), rows).astype(float), scores, classes > 0)


def same(a: Outcome | None, b: Outcome | None) -> bool:
    if a is None or b is None:
        return a is b
    scores = (a.scores is None and b.scores is None) or np.array_equal(a.scores, b.scores)  # type: ignore[arg-type]
    weights = (a.weights is None and b.weights is None) or np.array_equal(a.weights, b.weights)  # type: ignore[arg-type]
    return bool(np.array_equal(a.truth, b.truth) and np.array_equal(a.predicted, b.predicted) and scores and weights)


def of(rows: int = 20, classes: int = 2, **more: Any) -> EvidenceBundle:
    return EvidenceBundle("loans", 3, Stage.PRODUCTION, "digest", answers(rows, classes, 1), **more)


@given(
    rows=st.integers(1, 40),
    classes=st.sampled_from([0, 2, 3]),
    champion=st.booleans(),
    newest=st.booleans(),
    weighted=st.booleans(),
)
def test_a_bundle_travels_whole(rows: int, classes: int, champion: bool, newest: bool, weighted: bool) -> None:
    more: dict[str, Any] = {}
    if champion:
        more |= {
            "champion_version": (1, "d"),
            "champion": answers(rows, classes, 2),
            "unseen": np.arange(rows) % 2 == 0,
        }
    if newest:
        theirs = answers(5, classes, 4) if champion else None
        more["newest"] = Newest("2026-11-01", answers(5, classes, 3), theirs)
    measured = Measured(
        Latency(1.5, 9.0, 500),
        12345,
        Reproduced(7, 1, 0.5),
        None,
        (Verdict("ours", True, "fine", {"n": 2.0}),),
        {"a": "b"},
    )
    sent = of(rows, classes, measured=measured, **more)
    if weighted:
        sent = weighing(sent)
    found = EvidenceBundle.from_bytes(sent.to_bytes())
    assert (found.name, found.version, found.stage, found.digest) == ("loans", 3, Stage.PRODUCTION, "digest")
    assert same(found.challenger, sent.challenger) and same(found.champion, sent.champion)
    assert found.champion_version == sent.champion_version and found.measured == measured
    assert (found.unseen is None) == (sent.unseen is None)
    assert found.newest_digest == sent.newest_digest and bool(sent.newest) == bool(sent.newest_digest)
    if found.newest and sent.newest:
        assert same(found.newest.challenger, sent.newest.challenger) and found.newest.since == sent.newest.since


def weighing(bundle: EvidenceBundle) -> EvidenceBundle:
    """Return a bundle whose rows weigh 0, 1, 2, ..."""

    def weigh(outcome: Outcome | None) -> Outcome | None:
        return outcome and replace(outcome, weights=np.arange(outcome.rows, dtype=float))

    newest = bundle.newest and replace(
        bundle.newest, challenger=weigh(bundle.newest.challenger), champion=weigh(bundle.newest.champion)
    )
    return replace(bundle, challenger=weigh(bundle.challenger), champion=weigh(bundle.champion), newest=newest)


def test_weights_below_0_are_refused() -> None:
    bundle = weighing(of())
    below = replace(bundle, challenger=replace(bundle.challenger, weights=np.full(20, -1.0)))
    with pytest.raises(UsageError, match="a weight is a finite number of at least 0"):
        EvidenceBundle.from_bytes(below.to_bytes())


def packed(**files: bytes) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        for name, content in files.items():
            archive.writestr(name.replace("_", "."), content)
    return written.getvalue()


def changed(**facts: Any) -> bytes:
    files = of().files()
    return packed(
        case_json=json.dumps({**json.loads(files["case.json"]), **facts}).encode(), test_parquet=files["test.parquet"]
    )


def torn(entry: bytes, at: int, said: int) -> bytes:
    """A bundle with one number in the headers of its zip changed: the flags, or the way that a file is packed."""
    data = bytearray(of().to_bytes())
    for header, place in ((entry, at), (b"PK\x03\x04", at - 2)):
        data[data.index(header) + place] = said
    return bytes(data)


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b"", "a zip of case.json"),
        (b"PK\x03\x04 half", "a zip of case.json"),
        (packed(), "'case.json' is missing"),
        (packed(case_json=b"{}", test_parquet=b""), "case.json, name: Field required"),
        (packed(case_json=b"[1", test_parquet=b""), "case.json"),
        (packed(evil_py=b"import os"), "found evil.py"),
        (packed(case_json=of().files()["case.json"]), "'test.parquet' is missing"),
        (packed(case_json=of().files()["case.json"], test_parquet=b"no parquet"), "this is not an evidence bundle"),
        (changed(format=9), "an evidence bundle of format 9"),
        (changed(stage="Live"), "case.json, stage"),
        (changed(version="three"), "case.json, version"),
        (changed(version=10**12), "case.json, version"),
        (torn(b"PK\x01\x02", 8, 1), "is encrypted"),
        (torn(b"PK\x01\x02", 10, 99), "this is not an evidence bundle"),
    ],
)
def test_a_zip_that_is_not_a_bundle_is_refused_with_its_fault(data: bytes, complaint: str) -> None:
    with pytest.raises(UsageError, match=complaint):
        EvidenceBundle.from_bytes(data)


def test_a_bundle_that_unpacks_too_large_is_not_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundle_module, "MOST_BYTES", 100)
    with pytest.raises(UsageError, match="at most 100 bytes"):
        EvidenceBundle.from_bytes(of().to_bytes())


def test_a_bundle_in_which_a_few_bytes_stand_for_too_many_rows_is_not_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundle_module, "_MOST_NUMBERS", 59)
    with pytest.raises(UsageError, match="20 rows of 3 columns; 59 numbers are taken"):
        EvidenceBundle.from_bytes(of().to_bytes())


def test_answers_that_are_no_numbers_are_refused() -> None:
    files = of().files()
    import pandas as pd

    table = pd.read_parquet(io.BytesIO(files["test.parquet"]))
    table["challenger.predicted"] = "late"
    written = io.BytesIO()
    table.to_parquet(written)
    with pytest.raises(UsageError, match="float64"):
        EvidenceBundle.from_files({**files, "test.parquet": written.getvalue()})
