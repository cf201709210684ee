"""A ledger of thousands of entries within seconds: Slipway's own writes it to a client that only remembers, SQL puts it in."""

import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from mlflow.entities import Metric
from sqlalchemy import Connection, MetaData, Table, create_engine, insert, select, update

from slipway.core.release.ledger import stages_after
from slipway.core.release.transitions import Action, Transition
from slipway.registry.ledger import Ledger
from slipway.types import Stage, Verdict

HOUR_MS = 3_600_000
BATCH = 50_000
TABLES = ("runs", "tags", "metrics", "latest_metrics", "experiments", "experiment_tags", "model_versions")
GATES = ("thresholds", "beats_baseline", "specified", "not_worse_than_champion", "signature")

Row = dict[str, Any]


@dataclass
class Remembering:
    """What a ledger asks of MLflow's client, remembered as rows of its tables."""

    experiment: str
    user: str
    artifacts: str
    head: dict[str, str] = field(default_factory=dict)
    rows: dict[str, list[Row]] = field(default_factory=lambda: {name: [] for name in TABLES})
    runs: dict[str, Row] = field(default_factory=dict)

    def get_experiment(self, _: str) -> SimpleNamespace:
        return SimpleNamespace(tags=self.head)

    def set_experiment_tag(self, _: str, key: str, value: str) -> None:
        self.head[key] = value

    def create_run(self, experiment: str, start_time: int, tags: dict[str, str], name: str) -> SimpleNamespace:
        run = uuid.uuid4().hex
        self.runs[run] = {
            "run_uuid": run, "name": name, "source_type": "UNKNOWN", "source_name": "", "entry_point_name": "",
            "user_id": self.user, "status": "RUNNING", "start_time": start_time, "source_version": "",
            "lifecycle_stage": "active", "experiment_id": int(experiment), "artifact_uri": f"{self.artifacts}/{run}/artifacts",
        }  # fmt: skip
        for key, value in {"mlflow.runName": name, **tags}.items():
            self.set_tag(run, key, value)
        return SimpleNamespace(info=SimpleNamespace(run_id=run))

    def log_batch(self, run: str, metrics: Sequence[Metric]) -> None:
        for metric in metrics:
            row = {"run_uuid": run, "key": metric.key, "value": metric.value, "timestamp": metric.timestamp, "step": 0}
            self.rows["metrics"].append({**row, "is_nan": False})
            self.rows["latest_metrics"].append({**row, "is_nan": False})

    def log_text(self, *_: str) -> None:
        """The verdicts as a file beside the entry: nothing that is measured reads it."""

    def set_terminated(self, run: str, status: str) -> None:
        self.runs[run] |= {"status": status, "end_time": self.runs[run]["start_time"] + 1000}

    def set_tag(self, run: str, key: str, value: str) -> None:
        self.rows["tags"].append({"run_uuid": run, "key": key, "value": value})


def fill(database: Path, name: str, versions: Sequence[int], total: int) -> None:
    """Write a ledger of `total` entries, an hour between two, the newest an hour ago, and put the versions where it says.

    In turn a version is judged, approved and promoted; every third time it is refused instead. The ledger is empty before.
    """
    engine = create_engine(f"sqlite:///{database}")
    tables = MetaData()
    tables.reflect(engine, only=TABLES)
    experiments, stage_of = tables.tables["experiments"], tables.tables["model_versions"]
    with engine.begin() as connection:
        where = experiments.c.name == f"{name}/promotions"
        (home,) = connection.execute(select(experiments).where(where)).mappings()
        client = Remembering(str(home["experiment_id"]), "bench", home["artifact_location"])
        ledger = Ledger(client, name, client.experiment)  # type: ignore[arg-type]
        transitions = list(story(name, versions, total))
        for transition in transitions:
            ledger.write(transition, {"slipway.host": "bench", "slipway.process": "1 1.00"})
        client.rows["runs"] = list(client.runs.values())
        client.rows["experiment_tags"] = [
            {"experiment_id": home["experiment_id"], "key": key, "value": value} for key, value in client.head.items()
        ]
        for table in ("runs", "tags", "metrics", "latest_metrics", "experiment_tags"):
            _put(connection, tables.tables[table], client.rows[table])
        for version, stage in stages_after(transitions).items():
            wanted = (stage_of.c.name == name) & (stage_of.c.version == version)
            connection.execute(update(stage_of).where(wanted).values(current_stage=stage.value))
    engine.dispose()


def story(name: str, versions: Sequence[int], total: int) -> Iterator[Transition]:
    """Movements as a team makes them: version after version is judged for Production, and promoted or refused."""
    now, live, told = int(time.time() * 1000), None, 0
    for turn in count():
        version, passes = versions[turn % len(versions)], turn % 3 > 0
        verdicts = tuple(
            Verdict(
                gate, passes or gate != "not_worse_than_champion", f"{gate} says so on 41,203 test rows", {"value": 0.5}
            )
            for gate in GATES
        )
        acts = (Action.JUDGE, Action.APPROVE, Action.PROMOTE) if passes else (Action.JUDGE, Action.REFUSE)
        for action in acts:
            if told == total:
                return
            said = () if action is Action.APPROVE else verdicts
            at = now - (total - told) * HOUR_MS
            yield Transition(
                name,
                action,
                version,
                Stage.PRODUCTION,
                "bench",
                at,
                live,
                "as agreed",
                said,
                digest="0" * 64,
                evidence="1" * 64,
            )
            told += 1
        if passes:
            live = version


def _put(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    for i in range(0, len(rows), BATCH):
        connection.execute(insert(table), rows[i : i + BATCH])
