"""The names that only Slipway writes; and no method of MLflow's stores that writes is forgotten."""

import pytest

from slipway.server.reserved_names import (
    guarded_alias,
    holds_runs,
    is_elsewhere,
    is_ledger,
    is_mutex,
    is_ours,
    owners,
)
from slipway.types import Stage

RUN, MODEL = "0" * 32, f"m-{'1' * 32}"


@pytest.mark.parametrize("key", ["slipway.verdict", "Slipway.Verdict", " slipway.x"])
def test_tags_are_ours_in_every_spelling_that_a_database_may_take_for_the_same(key: str) -> None:
    assert is_ours(key)


@pytest.mark.parametrize("key", ["slipwaysomething", "mine.slipway.x", "mlflow.note.content"])
def test_other_tags_are_anybodys(key: str) -> None:
    assert not is_ours(key)


def test_ledgers_mutexes_and_aliases_are_told_by_name() -> None:
    assert is_ledger(" Flights/Promotions\n") and is_mutex("flights.moving ")
    assert is_ledger("flights/promotions") and not is_ledger("promotions") and not is_ledger("flights/promotions/2")
    assert is_mutex("flights.moving") and not is_mutex("moving")
    assert (guarded_alias("Production"), guarded_alias("staging")) == (Stage.PRODUCTION, Stage.STAGING)
    assert guarded_alias("champion") is None


def test_the_owner_of_an_artifact_is_found_wherever_the_experiment_keeps_it() -> None:
    assert owners(f"3/{RUN}/artifacts/evidence/rows.parquet") == [RUN]
    assert owners(f"some/where/{RUN}/artifacts") == [RUN]
    assert owners(f"3/models/{MODEL}/artifacts/MLmodel") == [MODEL]
    assert owners("3/traces/tr-1/artifacts/x") == []
    assert owners(f"3/models/{MODEL.upper()}/artifacts/MLmodel") == [MODEL]


def test_a_folder_holds_runs_by_where_experiments_keep_theirs_not_by_its_name() -> None:
    kept = ["/3", "/a/traces", "/b/traces/tr-1/"]
    for folder in ("3", "3/models", "a", "a/traces", "a/traces/models", "b/traces", "b/traces/tr-1", "."):
        assert holds_runs(folder, kept), folder
    for folder in ("3/traces/tr-1", "a/traces/traces/tr-1", "b/traces/tr-2", "a/traces2", "4"):
        assert not holds_runs(folder, kept), folder


def test_a_file_that_is_named_after_a_run_is_not_one_of_its_files() -> None:
    kept = f"mlflow-artifacts:/3/{RUN}/artifacts"
    for path in (f"3/{RUN}/artifacts/x", f"3/{RUN}", f"3/./{RUN.upper()}/artifacts/x", f"3//{RUN}/artifacts"):
        assert not is_elsewhere(path, kept) and not is_elsewhere(path, kept.replace("/3", "/%33")), path
    for path in (f"4/{RUN}/artifacts/x", f"3/{'2' * 32}/artifacts/{RUN}/x"):
        assert is_elsewhere(path, kept) and not is_elsewhere(path, f"s3://bucket/3/{RUN}/artifacts"), path
