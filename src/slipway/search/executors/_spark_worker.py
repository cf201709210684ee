"""The other end of a Spark task: unpack the question once a process, then answer proposals."""

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
    """A question as it travels to other machines: with the experiment's own Python files, by their paths in its folder."""

    question: Question
    files: Mapping[Path, bytes]

    @cached_property
    def unpacked(self) -> Question:
        """The question with its files in a folder of this process, which Spark takes away with its own."""
        folder = Path(tempfile.mkdtemp(prefix="slipway-search-", dir=SparkFiles.getRootDirectory()))
        for path, content in self.files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(content)
        return replace(self.question, folder=folder)


def pack(question: Question) -> Parcel:
    """Return a question with its code, ready to travel."""
    paths = sorted(question.folder.rglob("*.py"))
    return Parcel(question, {path.relative_to(question.folder): path.read_bytes() for path in paths})


def unpack(parcel: "Broadcast[Parcel]", _: object) -> None:
    """Unpack the question in this process, before it is asked."""
    parcel.value.unpacked  # noqa: B018 - kept where it is


def answer(parcel: "Broadcast[Parcel]", proposal: Proposal) -> Trial | None:
    """Return the trial of a proposal; None where Spark tries once more, because a worker was lost with it."""
    task = TaskContext.get()
    if task is not None and task.attemptNumber() > 0:
        return None
    question = parcel.value.unpacked
    with threadpool_limits(1), importable(question.folder):
        return run_trial(question, proposal)
