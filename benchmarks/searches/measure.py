"""One system, once, in a process of its own: python -m searches.measure SYSTEM FOLDER OUTPUT SERVER_PID.

MLFLOW_TRACKING_URI and MLFLOW_EXPERIMENT_NAME say where its runs go.

Nothing heavy is imported at the top: worker processes import the module that was started.
"""

import importlib
import json
import os
import sys
from pathlib import Path

from searches import PROCESSES, SYSTEMS


def main(name: str, folder: str, output: str, server: str) -> None:
    system = next(system for system in SYSTEMS if system.name == name)
    if name == PROCESSES:  # as `slipway run` does, before the imports that take as long
        from slipway import forkserver

        forkserver.warm_up()
    module, _, function = system.function.partition(":")
    run = getattr(importlib.import_module(module), function)

    from searches.task import load_task
    from searches.waiting import Waiting

    task, waiting = load_task(Path(folder)), Waiting()
    assert task.inputs
    if name == PROCESSES:  # while `slipway run` reads and checks its data, the server of forks gets ready
        started = forkserver.context().Process(target=int)
        started.start()
        started.join()
    if system.tracked:
        import mlflow

        mlflow.set_experiment(os.environ["MLFLOW_EXPERIMENT_NAME"])
        waiting.watch_mlflow()
    before = cpu_seconds(os.getpid(), int(server))
    measured = run(task, waiting, **system.options)
    measured["cpu_s"] = cpu_seconds(os.getpid(), int(server)) - before
    Path(output).write_text(json.dumps(measured), encoding="utf-8")


def cpu_seconds(*pids: int) -> float:
    """CPU seconds of these processes and all below them; a process that ended counts with the one that waited for it."""
    import psutil

    heads = [psutil.Process(pid) for pid in pids]
    family = [*heads, *(child for head in heads for child in head.children(recursive=True))]
    return sum(sum(member.cpu_times()[:4]) for member in family)


if __name__ == "__main__":
    main(*sys.argv[1:])
