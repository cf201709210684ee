"""Every movement, written down as an MLflow run in the experiment `NAME/promotions`."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from mlflow import MlflowClient
from mlflow.entities import Metric, Run, RunTag

from slipway.core.movements import Action, Movement
from slipway.types import Stage, Verdict

_VERDICTS = "verdicts.json"


@dataclass(frozen=True)
class Ledger:
    """The ledger of one model: its client, the model's name, the id of the experiment that holds the entries."""

    client: MlflowClient
    name: str
    experiment: str

    @contextmanager
    def entry(self, movement: Movement, tags: dict[str, str]) -> Iterator[None]:
        """Write a movement down before it is made, and mark it complete after the block made it.

        Killed in the block, the entry stays as one that was not completed.
        """
        run_id = self._open(movement, tags)
        try:
            yield
        except BaseException:
            self.client.set_terminated(run_id, "FAILED")
            raise
        self.client.set_terminated(run_id, "FINISHED")

    def write(self, movement: Movement, tags: dict[str, str]) -> None:
        """Write down something that needs no making, such as a refusal."""
        with self.entry(movement, tags):
            pass

    def movements(self, most: int | None = None) -> list[Movement]:
        """Return the movements, oldest first; with `most`, the newest so many of them."""
        runs: list[Run] = []
        token = None
        while True:
            page = self.client.search_runs(
                [self.experiment],
                max_results=min(1000, most or 1000),
                order_by=["attributes.start_time DESC"],
                page_token=token,
            )
            runs += page
            token = page.token
            if not token or (most and len(runs) >= most):
                return [_movement(self.name, run) for run in reversed(runs[:most])]

    def _open(self, movement: Movement, tags: dict[str, str]) -> str:
        verdicts = movement.as_dict()["verdicts"]
        facts = {
            "slipway.action": movement.action.value,
            "slipway.version": str(movement.version),
            "slipway.stage": movement.stage.value,
            "slipway.by": movement.by,
            "slipway.comment": movement.comment,
            "mlflow.note.content": f"{movement} by {movement.by}. {movement.comment}",
            **({"slipway.replaced": str(movement.replaced)} if movement.replaced else {}),
            **tags,
        }
        run = self.client.create_run(self.experiment, movement.at_ms, facts, f"v{movement.version} {movement.action}")
        run_id = str(run.info.run_id)
        numbers = {f"{v.gate}.{key}": value for v in movement.verdicts for key, value in v.numbers.items()}
        metrics = [Metric(key, value, movement.at_ms, 0) for key, value in numbers.items() if value == value]
        gates = [
            RunTag(f"slipway.gate.{v.gate}", ("passed: " if v.passed else "failed: ") + v.reason)
            for v in movement.verdicts
        ]
        self.client.log_batch(run_id, metrics=metrics, tags=gates)
        if verdicts:
            self.client.log_text(run_id, json.dumps(verdicts, indent=2), _VERDICTS)
        return run_id


def now_ms() -> int:
    return int(time.time() * 1000)


def _movement(name: str, run: Run) -> Movement:
    tags = run.data.tags
    gates = [(key.removeprefix("slipway.gate."), text) for key, text in tags.items() if key.startswith("slipway.gate.")]
    verdicts = tuple(
        Verdict(gate, text.startswith("passed: "), text.partition(": ")[2], _numbers(run, gate)) for gate, text in gates
    )
    replaced = tags.get("slipway.replaced")
    return Movement(
        name,
        Action(tags["slipway.action"]),
        int(tags["slipway.version"]),
        Stage(tags["slipway.stage"]),
        tags.get("slipway.by", "unknown"),
        int(run.info.start_time),
        int(replaced) if replaced else None,
        tags.get("slipway.comment", ""),
        verdicts,
        complete=run.info.status == "FINISHED",
    )


def _numbers(run: Run, gate: str) -> dict[str, float]:
    return {
        key.removeprefix(f"{gate}."): value for key, value in run.data.metrics.items() if key.startswith(f"{gate}.")
    }
