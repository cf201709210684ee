"""The executor of trials on Spark, each as a job of one task: on the cores of this machine, or of a cluster."""

import queue
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from functools import partial
from itertools import count
from uuid import uuid4

from slipway.core.trials import Trial
from slipway.progress import note
from slipway.search.executors._protocol import Limits
from slipway.search.executors._spark_worker import answer, pack, unpack
from slipway.search.proposals import Proposal
from slipway.search.question import Question, failed_trial
from slipway.spark import cause, spark_context

# These hold for a session of Slipway's own. In a session that existed, new workers import for seconds, and Spark reports
# running tasks late.
SETTINGS = {
    "spark.python.daemon.module": "slipway.search.executors._spark_daemon",
    "spark.task.maxFailures": "1",  # a trial that killed one worker would kill the next
    "spark.python.task.killTimeout": "0",  # ms before a cancelled task is killed; a trial cannot notice that it is cancelled
    "spark.ui.liveUpdate.period": "0",  # Spark's status knows running tasks at once; by default it lags
}
_LOST = "its worker process ended, or was lost with its machine"
_LOOK_S = 0.2
_IDLE_S = 30.0


@dataclass
class _Job:
    """A submitted trial; until `begun`, when its task was first seen to run, the trial waits for a free core."""

    group: str
    proposal: Proposal
    submitted: float
    begun: float | None = None

    @property
    def took_s(self) -> float:
        return time.monotonic() - (self.begun or self.submitted)


class Spark:
    """Runs each trial as a Spark job, in the context of this process if there is one, else in a new context.

    The rows and the experiment's Python files are broadcast once; Slipway has to be installed where the workers are. A trial
    has one native thread, because Spark counts a task as one core. Raises the errors of `spark_context`.
    """

    def __init__(self, question: Question, limits: Limits | None = None) -> None:
        search = question.experiment.search
        self._name = question.experiment.name
        self._limits = limits or Limits()
        self._most, self._asked = search.most_trials, search.workers
        self._cores = 1
        self._groups = (f"slipway-{uuid4().hex}-{number}" for number in count(1))
        self._jobs: dict[str, _Job] = {}
        self._ended: queue.SimpleQueue[tuple[_Job, Trial | str]] = queue.SimpleQueue()
        self._is_told = False
        with ExitStack() as stack:
            self._context = stack.enter_context(spark_context(search.master, f"slipway run {self._name}", SETTINGS))
            self._parcel = self._context.broadcast(pack(question))
            self._threads = ThreadPoolExecutor(self._most, thread_name_prefix="slipway-spark")
            self._opened = stack.pop_all()
        self._threads.submit(self._warm_up, next(self._groups))

    @property
    def capacity(self) -> int:
        """How many trials may run at a time; the number may grow, because a cluster's cores are known as its workers report."""
        if self._asked is None:
            with suppress(Exception):  # a context that is gone may raise anything; its trials will fail and say so
                self._cores = self._context.defaultParallelism
        return min(self._asked or self._cores, self._most)

    def submit(self, proposal: Proposal) -> None:
        job = _Job(next(self._groups), proposal, time.monotonic())
        self._jobs[job.group] = job
        self._threads.submit(self._run, job)

    def next_finished(self) -> Trial:
        while True:
            for job in self._jobs.values():
                if reason := self._over(job):
                    return self._give_up(job, reason)
            try:
                job, ended = self._ended.get(timeout=self._patience())
            except queue.Empty:
                self._tell_if_idle()
                continue
            if self._jobs.pop(job.group, None):  # a job that was given up is gone already
                return ended if isinstance(ended, Trial) else failed_trial(job.proposal, ended, job.took_s)

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)
        for group in self._jobs:
            self._cancel(group)
        with suppress(Exception):  # a context that is gone needs no closing
            self._parcel.destroy()
        self._opened.close()

    def _warm_up(self, group: str) -> None:
        """Let each worker unpack the question before a trial's time counts; the trials report a failure."""
        with suppress(Exception):
            self._context.setJobGroup(group, f"workers of {self._name}", interruptOnCancel=True)
            self._context.parallelize(range(self.capacity), self.capacity).foreach(partial(unpack, self._parcel))

    def _run(self, job: _Job) -> None:
        """Run one trial in a thread of its own, because Spark ties a job group to a thread."""
        ended: Trial | str | None
        try:
            described = f"trial {job.proposal.number} of {self._name}"
            self._context.setJobGroup(job.group, described, interruptOnCancel=True)
            (ended,) = self._context.parallelize([job.proposal], 1).map(partial(answer, self._parcel)).collect()
        except Exception as error:  # noqa: BLE001 - whatever Spark raises, it is the end of one trial
            why = cause(str(error))
            ended = _LOST if why.startswith("Python worker exited") else why
        self._ended.put((job, ended or _LOST))

    def _over(self, job: _Job) -> str | None:
        """Say why a job has to be stopped; its time counts from when it runs, since a cluster may be busy with other work."""
        if self._limits.timeout_s is None:
            return None
        if job.begun is None and self._runs(job):
            job.begun = time.monotonic()
        return self._limits.too_long(job.took_s) if job.begun else None

    def _give_up(self, job: _Job, reason: str) -> Trial:
        del self._jobs[job.group]
        self._cancel(job.group)
        return failed_trial(job.proposal, reason, job.took_s)

    def _cancel(self, group: str) -> None:
        with suppress(Exception):
            self._context.cancelJobGroup(group)

    def _patience(self) -> float | None:
        """Return the seconds until the next check of the jobs; None when there is nothing to check."""
        if self._limits.timeout_s is not None:
            return _LOOK_S
        return None if self._is_told else _IDLE_S

    def _tell_if_idle(self) -> None:
        if self._is_told or any(job.took_s < _IDLE_S or self._runs(job) for job in self._jobs.values()):
            return
        note(
            f"Spark on {self._context.master} gives no core to {len(self._jobs)} trial(s) that wait: is it busy, or empty?"
        )
        self._is_told = True

    def _runs(self, job: _Job) -> bool:
        """Return whether Spark has given the job a core."""
        with suppress(Exception):
            tracker = self._context.statusTracker()
            jobs = [tracker.getJobInfo(number) for number in tracker.getJobIdsForGroup(job.group)]
            stages = [tracker.getStageInfo(stage) for info in jobs if info for stage in info.stageIds]
            return any(stage.numActiveTasks for stage in stages if stage)
        return False
