"""How long a search waits for tracking: the calls of MLflow, and of Slipway's writer, are timed by thread."""

import functools
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any


class Waiting:
    """Seconds that each thread spends in watched calls; a watched call within another is not counted again."""

    def __init__(self) -> None:
        self.by_thread: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
        self._inside = threading.local()

    def of(self, thread: str) -> float:
        """Seconds of one thread."""
        return sum(self.by_thread[thread].values())

    def of_others(self, *threads: str) -> float:
        """Seconds of all threads but these."""
        return sum(self.of(name) for name in list(self.by_thread) if name not in threads)

    def watch_mlflow(self) -> None:
        """Time MLflow's fluent functions and every method of its client."""
        import mlflow

        client = [name for name, value in vars(mlflow.MlflowClient).items() if callable(value) and name[0] != "_"]
        self.watch(mlflow.MlflowClient, *client)
        self.watch(
            mlflow, "set_experiment", "start_run", "end_run", "log_params", "log_metric", "log_metrics", "set_tags"
        )
        self.watch(mlflow.ActiveRun, "__exit__")

    def watch(self, owner: Any, *names: str) -> None:
        """Put a timed function in the place of each of these attributes."""
        for name in names:
            setattr(owner, name, self._timed(getattr(owner, name), f"{owner.__name__}.{name}"))

    def _timed(self, function: Callable[..., Any], label: str) -> Callable[..., Any]:
        @functools.wraps(function)
        def call(*args: Any, **given: Any) -> Any:
            if getattr(self._inside, "call", None):
                return function(*args, **given)
            self._inside.call = label
            clock = time.perf_counter()
            try:
                return function(*args, **given)
            finally:
                self._inside.call = None
                self.by_thread[threading.current_thread().name][label] += time.perf_counter() - clock

        return call
