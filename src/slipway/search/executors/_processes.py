"""The executor of trials in worker processes, one a core; a worker that dies is replaced."""

import os
import tempfile
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import psutil

from slipway.core.trials import Trial
from slipway.forkserver import context
from slipway.search.executors import _worker
from slipway.search.executors._protocol import Limits
from slipway.search.proposals import Proposal
from slipway.search.question import Question, failed_trial

_MEMORY_LOOK_S = 0.2


@dataclass
class _Worker:
    process: ForkServerProcess
    pipe: Connection
    alive: Connection  # the worker ends when this closes, so it must stay open as long as the parent lives
    proposal: Proposal | None = None
    started: float = 0.0

    @property
    def idle(self) -> bool:
        return self.proposal is None


class Processes:
    """A pool of worker processes, by default one a core, that map the same rows into memory.

    Each worker has its share of the cores for its own threads, so that the cores are not oversubscribed.
    """

    def __init__(self, question: Question, limits: Limits | None = None, workers: int | None = None) -> None:
        cores = self.cores()
        self.capacity = workers or cores
        self._limits = limits or Limits()
        self._threads = max(1, cores // self.capacity)
        self._context = context()
        self._made = tempfile.TemporaryDirectory(prefix="slipway-search-", ignore_cleanup_errors=True)
        self._folder = Path(self._made.name)
        _worker.share(question, self._folder)
        self._workers = [self._start() for _ in range(self.capacity)]

    @staticmethod
    def cores() -> int:
        """Return the number of cores that this process may use."""
        return len(os.sched_getaffinity(0))

    def submit(self, proposal: Proposal) -> None:
        worker = next(worker for worker in self._workers if worker.idle)
        worker.proposal, worker.started = proposal, time.monotonic()
        worker.pipe.send(proposal)

    def next_finished(self) -> Trial:
        while True:
            busy = {worker.pipe: worker for worker in self._workers if not worker.idle}
            for pipe in wait(list(busy), self._patience(list(busy.values()))):
                return self._collect(busy[pipe])  # type: ignore[index]
            for worker in busy.values():
                if reason := self._over(worker):
                    return self._give_up(worker, reason)

    def close(self) -> None:
        for worker in self._workers:
            self._stop(worker)
        self._made.cleanup()

    def _start(self) -> _Worker:
        ours, theirs = self._context.Pipe()
        alive_theirs, alive_ours = self._context.Pipe(duplex=False)
        arguments = (theirs, alive_theirs, self._folder, self._threads)
        process = self._context.Process(target=_worker.serve, args=arguments, daemon=True)
        process.start()
        theirs.close()
        alive_theirs.close()
        return _Worker(process, ours, alive_ours)

    def _collect(self, worker: _Worker) -> Trial:
        try:
            trial: Trial = worker.pipe.recv()
        except (EOFError, OSError):
            worker.process.join(5)
            return self._give_up(worker, f"its worker process ended (exit code {worker.process.exitcode})")
        worker.proposal = None
        return trial

    def _give_up(self, worker: _Worker, reason: str) -> Trial:
        """Kill a worker, start another in its place, and return the worker's trial as failed."""
        assert worker.proposal is not None
        proposal, took = worker.proposal, time.monotonic() - worker.started
        self._stop(worker)
        self._workers[self._workers.index(worker)] = self._start()
        return failed_trial(proposal, reason, took)

    def _stop(self, worker: _Worker) -> None:
        worker.pipe.close()
        worker.alive.close()
        worker.process.kill()
        worker.process.join()

    def _patience(self, busy: list[_Worker]) -> float | None:
        """Return the seconds until the next check of the limits; None without limits."""
        if self._limits.memory_mb:
            return _MEMORY_LOOK_S
        if self._limits.timeout_s is None:
            return None
        oldest = min(worker.started for worker in busy)
        return max(0.0, oldest + self._limits.timeout_s - time.monotonic())

    def _over(self, worker: _Worker) -> str | None:
        if reason := self._limits.too_long(time.monotonic() - worker.started):
            return reason
        if most_mb := self._limits.memory_mb:
            used_mb = _memory_mb(worker.process.pid)
            if used_mb > most_mb:
                return f"stopped at {used_mb:.0f} MB: a trial may take {most_mb} MB (search.trial_memory_mb)"
        return None


def _memory_mb(pid: int | None) -> float:
    try:
        return float(psutil.Process(pid).memory_full_info().uss) / 1e6  # the mapped rows are shared and do not count
    except psutil.Error:
        return 0.0
