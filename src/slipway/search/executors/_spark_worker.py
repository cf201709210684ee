"""The worker's end of a Spark task: it unpacks the question once a process, then answers proposals."""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from pyspark import Broadcast, SparkFiles, TaskContext
from threadpoolctl import threadpool_limits

from slipway.code import importable
from slipway.core.trials import Trial
from slipway.search.proposals import Proposal
from slipway.search.question import Question, run_trial


@dataclass(frozen=True)
class Parcel:
    """A Question in transit to other machines, with the experiment's own Python files by their paths in its folder."""

    question: Question
    files: Mapping[Path, bytes]

    @cached_property
    def unpacked(self) -> Question:
        """The Question with its files in a folder of this process; Spark removes the folder with its own files."""
        folder = Path(tempfile.mkdtemp(prefix="slipway-search-", dir=SparkFiles.getRootDirectory()))
        for path, content in self.files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(content)
        return replace(self.question, folder=folder)


def pack(question: Question) -> Parcel:
    """Return a Question with its code as a Parcel."""
    paths = sorted(question.folder.rglob("*.py"))
    return Parcel(question, {path.relative_to(question.folder): path.read_bytes() for path in paths})


def unpack(parcel: "Broadcast[Parcel]", _: object) -> None:
    """Unpack the Question in this process before the first proposal comes."""
    parcel.value.unpacked  # noqa: B018 - the cached property stays with the broadcast value


def answer(parcel: "Broadcast[Parcel]", proposal: Proposal) -> Trial | None:
    """Return the trial of a proposal; None at Spark's second attempt, after a worker was lost with the first."""
    task = TaskContext.get()
    if task is not None and task.attemptNumber() > 0:
        return None
    question = parcel.value.unpacked
    with threadpool_limits(1), importable(question.folder):
        return run_trial(question, proposal)
