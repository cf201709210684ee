"""A Spark context for this process: the running one, or a new one that is quiet and listens to this machine alone.

Slipway needs pyspark and Java for this alone, so they are imported and looked for on demand.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import IO, TYPE_CHECKING

from slipway.errors import ServiceFailed, UsageError

if TYPE_CHECKING:
    from pyspark import SparkConf, SparkContext

LOCAL = "local[*]"
_OLDEST_JAVA = 17
_QUIET = {"spark.ui.enabled": "false", "spark.ui.showConsoleProgress": "false", "spark.log.level": "ERROR"}
_ON_THIS_MACHINE = {"spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1"}
_NOT_REGISTERED = "spark-application-"  # an application is called so until its master gives it a name
_PYTHON_ERROR = re.compile(r"^(?:\w+\.)*\w*(?:Error|Exception|Exit|Interrupt)\b.*", re.MULTILINE)
_NO_WORKER = re.compile(r"Error from python worker:\n(.+?)\nPYTHONPATH was:", re.DOTALL)
_LOST_TASK = re.compile(r"^.*most recent failure: (?:Lost task \S+ in stage \S+ \(TID \d+\) \(.*?\): )?")
_JAVA_ERROR = re.compile(r"^:? ?(?:Exception in thread \S+ )?(?:[\w.$]*Exception: )+")


def check_spark() -> None:
    """Raise UsageError, which says what was found and what to install, when pyspark or a Java for it is missing."""
    pyspark = find_spec("pyspark")
    if pyspark is None or pyspark.origin is None:  # a folder that an uninstalled pyspark left behind has no origin
        raise UsageError("Spark needs pyspark, which is not installed; install it with `pip install 'slipway[spark]'`")
    check_java()


def check_java() -> None:
    """Raise UsageError when there is no Java that Spark runs on."""
    home = os.environ.get("JAVA_HOME")
    java = Path(home, "bin", "java") if home else shutil.which("java")
    version = _java_version(java) if java else None
    if version is not None and version >= _OLDEST_JAVA:
        return
    where = f"{java}, by JAVA_HOME" if home else f"{java}, of the PATH" if java else ""
    found = f"Java {version} ({where})" if version else f"none in {where}" if java else "no `java` on the PATH"
    raise UsageError(
        f"Spark needs a Java runtime, version {_OLDEST_JAVA} or later; found {found}. "
        f"Install one (Debian: openjdk-{_OLDEST_JAVA}-jre-headless), or name its folder in JAVA_HOME"
    )


@contextmanager
def spark_context(master: str | None, name: str, settings: Mapping[str, str] | None = None) -> "Iterator[SparkContext]":
    """Give the running context of this process and leave it running; without one, start a context and stop it at the end.

    Args:
        master: the address of the master; None for the running context, or else for all cores of this machine.
        name: the name of the application in Spark.
        settings: settings of a context that is started, beside those that keep the context quiet and closed.

    Raises UsageError when pyspark or Java is missing or another master is in use, ServiceFailed when Spark does not start.
    """
    check_spark()
    from pyspark import SparkContext

    if running := SparkContext._active_spark_context:
        if master not in (None, running.master):
            raise UsageError(
                f"{master} was asked for, and this process has a Spark session on {running.master}; "
                "stop that session, or name no master"
            )
        yield running
        return
    started = _start({"spark.master": master or LOCAL, "spark.app.name": name, **(settings or {})})
    try:
        yield started
    finally:
        started.stop()


def cause(text: str) -> str:
    """Return the line of a Java error, with or without a Python error in it, that says what happened."""
    message = re.split(r"\n\s+at ", text, maxsplit=1)[0]
    if no_worker := _NO_WORKER.search(message):
        return no_worker.group(1).splitlines()[-1].strip()
    if "Traceback (most recent call last)" in message and (raised := _PYTHON_ERROR.findall(message)):
        return str(raised[-1])
    line = next((line for line in message.splitlines() if "Exception" in line), message.strip())
    return _JAVA_ERROR.sub("", _LOST_TASK.sub("", line))


def _java_version(java: str | Path) -> int | None:
    """Return the major version, or None when there is no such program."""
    try:
        output = subprocess.run([java, "-version"], capture_output=True, text=True, check=False, timeout=60).stderr
    except (OSError, subprocess.TimeoutExpired):
        return None
    version = re.search(r'version "(?:1\.)?(\d+)', output)  # Java 8 calls itself 1.8
    return int(version.group(1)) if version else None


def _start(settings: Mapping[str, str]) -> "SparkContext":
    from py4j.protocol import Py4JError
    from pyspark import SparkConf, SparkContext
    from pyspark.errors import PySparkException

    master = settings["spark.master"]
    closed = _ON_THIS_MACHINE if master.startswith("local") else {}
    conf = SparkConf().setAll(list({**_QUIET, **closed, **settings}.items()))
    # The output of Java and the workers goes to a nameless file: it is shown when Spark does not start, and gone afterwards.
    with tempfile.TemporaryFile() as log, _surroundings(master):
        try:
            context = SparkContext(conf=conf, gateway=SparkContext._gateway or _launch(conf, log))
        except (Py4JError, PySparkException, OSError) as error:
            log.seek(0)
            text = str(error) if SparkContext._gateway else log.read().decode(errors="replace")
            raise ServiceFailed(f"Spark did not start on {master}: {cause(text)}") from error
    if context.applicationId.startswith(
        _NOT_REGISTERED
    ):  # Spark gives up on a master after a minute, and raises nothing
        context.stop()
        raise ServiceFailed(f"Spark did not start: no master answers at {master}")
    return context


def _launch(conf: "SparkConf", log: IO[bytes]) -> object:
    from pyspark.java_gateway import launch_gateway

    return launch_gateway(conf, {"stdout": log, "stderr": log})


@contextmanager
def _surroundings(master: str) -> Iterator[None]:
    """Prepare this process for the start of a context, and restore afterwards what the start changes.

    Workers run this Python, where Spark would take any `python3` of the PATH; PYSPARK_PYTHON may name the Python of a cluster.
    The handler of Ctrl-C stays. pyspark's warning of pandas 3 is silenced, since rows travel as bytes.
    """
    before = os.environ.get("PYSPARK_PYTHON")
    python = before if before and not master.startswith("local") else sys.executable
    is_main = threading.current_thread() is threading.main_thread()
    on_interrupt = signal.getsignal(signal.SIGINT)
    os.environ["PYSPARK_PYTHON"] = python
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas", FutureWarning)
            yield
    finally:
        if before is None:
            del os.environ["PYSPARK_PYTHON"]
        else:
            os.environ["PYSPARK_PYTHON"] = before
        if is_main:
            signal.signal(signal.SIGINT, on_interrupt)
