"""A search on Spark, asked for by the command line."""

import sys
from typing import TYPE_CHECKING

import pytest

from slipway.errors import UsageError
from slipway.spark import check_spark

if TYPE_CHECKING:
    from conftest import Library

THREE = ("trials: 2", "trials: 3")


def trials_of(library: "Library", name: str) -> list[tuple[str, str, float, float]]:
    runs = library.runs(name, "trial")
    return sorted(
        (run.info.run_name, run.data.tags["slipway.params"], run.data.metrics["roc_auc"], run.data.metrics["log_loss"])
        for run in runs
    )


def test_a_search_on_spark_is_quiet_and_finds_what_serial_finds(library: "Library", capfd) -> None:
    """The pipeline is made by a file of the experiment, which has to travel; one trial is out at a time."""
    try:
        check_spark()
    except UsageError as missing:
        pytest.skip(str(missing))
    name = library.vary("own_pipeline", "on_spark", THREE)
    capfd.readouterr()
    done = library.done("run", name, "--executor", "spark", "--workers", 1)
    assert capfd.readouterr() == ("", "")  # neither Java nor the workers say a word
    assert (done["trials"], done["failed_trials"]) == (3, 0)

    from pyspark import SparkContext

    assert SparkContext._active_spark_context is None  # the session was ours

    serially = library.vary("own_pipeline", "not_on_spark", THREE)
    library.done("run", serially, "--executor", "serial")
    assert trials_of(library, name) == trials_of(library, serially)


def test_what_does_not_fit_is_refused_before_anything_is_logged(library: "Library", monkeypatch) -> None:
    name = library.vary("late_loans", "no_spark")
    said = library.slipway("run", name, "--master", "spark://far:7077")
    assert said.code == 2 and "a master is Spark's, and the executor is processes" in said.err
    monkeypatch.setitem(sys.modules, "pyspark", None)
    said = library.slipway("run", name, "--executor", "spark")
    assert said.code == 2 and "pip install 'slipway[spark]'" in said.err
    assert library.client.get_experiment_by_name(name) is None


def test_whoever_asks_for_another_executor_has_no_use_for_the_declared_master(library: "Library") -> None:
    declared = ("  trials: 3\n", "  trials: 3\n  executor: spark\n  master: spark://far:7077\n")
    name = library.vary("late_loans", "far_away", declared)
    assert library.done("run", name, "--executor", "serial")["trials"] == 3
