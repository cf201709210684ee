"""What is said when Spark, or what it needs, is not there. Where it is, `search/test_executors.py` runs it."""

import sys
from pathlib import Path

import pytest

from slipway.errors import UsageError
from slipway.search.executors import check_executor
from slipway.spark import cause, check_spark


def java(folder: Path, version: str) -> Path:
    """A program that says it is a Java of that version."""
    program = folder / "bin" / "java"
    program.parent.mkdir(parents=True)
    program.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\"' >&2\n")
    program.chmod(0o755)
    return program


@pytest.fixture
def with_pyspark(monkeypatch, tmp_path):
    """A pyspark that can be found, and no Java."""
    (tmp_path / "site" / "pyspark").mkdir(parents=True)
    (tmp_path / "site" / "pyspark" / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path / "site")
    monkeypatch.delitem(sys.modules, "pyspark", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "path" / "bin"))
    monkeypatch.delenv("JAVA_HOME", raising=False)


def test_without_pyspark_it_is_said_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyspark", None)
    with pytest.raises(UsageError, match=r"pyspark, which is not installed; .*`pip install 'slipway\[spark\]'`"):
        check_spark()


def test_without_java_it_is_said_where_it_was_looked_for(with_pyspark):
    with pytest.raises(UsageError, match=r"17 or later; found no `java` on the PATH\. Install one .*JAVA_HOME"):
        check_spark()


@pytest.mark.parametrize(("version", "major"), [("11.0.20", 11), ("1.8.0_292", 8)])
def test_a_java_that_is_too_old_is_named(with_pyspark, tmp_path, version, major):
    program = java(tmp_path / "path", version)
    with pytest.raises(UsageError, match=rf"found Java {major} \({program}, of the PATH\)"):
        check_spark()


def test_the_java_of_java_home_is_taken_before_that_of_the_path(with_pyspark, tmp_path, monkeypatch):
    java(tmp_path / "path", "1.8.0_292")
    java(tmp_path / "home", "21.0.2")
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "home"))
    check_spark()


def test_a_java_home_without_a_java_is_named(with_pyspark, tmp_path, monkeypatch):
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "nowhere"))
    with pytest.raises(UsageError, match=rf"found none in {tmp_path}/nowhere/bin/java, by JAVA_HOME"):
        check_spark()


def test_only_an_experiment_that_asks_for_spark_needs_it(declare, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyspark", None)
    search = declare().search
    check_executor(search)
    with pytest.raises(UsageError, match="pyspark"):
        check_executor(search.model_copy(update={"executor": "spark"}))


LOST = "An error occurred while calling z:org.apache.spark.api.python.PythonRDD.collectAndServe.\n: "
LOST += "org.apache.spark.SparkException: Job aborted due to stage failure: Task 0 in stage 5.0 failed 1 times, "
LOST += "most recent failure: Lost task 0.0 in stage 5.0 (TID 5) (127.0.0.1 executor 0): "
STACK = "\n\tat org.apache.spark.api.python.BasePythonRunner.read(PythonRunner.scala:1097)\n\tat java.lang.Thread.run()"
TRACEBACK = """Traceback (most recent call last):
  File "worker.py", line 4327, in invoke_udf
    raise SomethingError("of the source line")
ModuleNotFoundError: No module named 'slipway'
 SQLSTATE: 38000"""


@pytest.mark.parametrize(
    ("said", "line"),
    [
        (
            f"{LOST}org.apache.spark.SparkException: Python worker exited (crashed).{STACK}",
            "Python worker exited (crashed).",
        ),
        (
            f"{LOST}ExecutorLostFailure (executor 0 exited) Reason: code 137\nDriver stacktrace:{STACK}",
            "ExecutorLostFailure (executor 0 exited) Reason: code 137",
        ),
        (
            f"{LOST}org.apache.spark.api.python.PythonException: thrown: {TRACEBACK}{STACK}",
            "ModuleNotFoundError: No module named 'slipway'",
        ),
        (
            f'WARN Utils: loopback\nException in thread "main" org.apache.spark.SparkException: No master{STACK}',
            "No master",
        ),
        (
            f"{LOST}org.apache.spark.SparkException: \nError from python worker:\n  python: No module named 'slipway'\n"
            f"PYTHONPATH was:\n  pyspark.zip\norg.apache.spark.SparkException: EOFException{STACK}",
            "python: No module named 'slipway'",
        ),
        ("spark-class: line 71: /nope/bin/java: No such file", "spark-class: line 71: /nope/bin/java: No such file"),
        ("", ""),
    ],
)
def test_an_error_of_java_is_told_in_a_line(said, line):
    assert cause(said) == line
