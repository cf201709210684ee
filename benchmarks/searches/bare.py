"""Fitting and scoring alone: what any search has to spend, and what two processes make of it when nothing else is asked."""

import multiprocessing
import os
import time
from typing import Any

from searches.task import Task
from searches.waiting import Waiting

_task: Task


def alone(task: Task, _waiting: Waiting) -> dict[str, Any]:
    """One set after the other in one thread; fits_cpu_s: of each."""
    task.fit_and_score(task.sets[0])  # the first of a process pays for what scikit-learn loads late
    clock, fits_cpu_s, scores = time.perf_counter(), [], []
    for params in task.sets:
        before = time.process_time()
        scores.append(task.fit_and_score(params))
        fits_cpu_s.append(time.process_time() - before)
    return {"wall_s": time.perf_counter() - clock, "scores": scores, "fits_cpu_s": fits_cpu_s}


def pool(task: Task, _waiting: Waiting) -> dict[str, Any]:
    """The sets over one forked process a core, each taking the next set when it is free."""
    global _task
    _task = task
    clock = time.perf_counter()
    with multiprocessing.get_context("fork").Pool(len(os.sched_getaffinity(0))) as processes:
        results = processes.map(_one, task.sets, chunksize=1)
    wall_s = time.perf_counter() - clock
    scores, fits_cpu_s = zip(*results, strict=True)
    return {"wall_s": wall_s, "scores": scores, "details": {"fits_cpu_s": sum(fits_cpu_s)}}


def _one(params: dict[str, Any]) -> tuple[float, float]:
    before = time.process_time()
    return _task.fit_and_score(params), time.process_time() - before
