"""A registry with many models and long ledgers, put into a database by SQL in seconds, chained and sealed as by Slipway."""

import itertools
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from sqlalchemy import MetaData, create_engine, insert

from slipway.core.release.judgement import approval
from slipway.core.release.ledger import hash_of, seal_of
from slipway.core.release.transitions import Action, Transition
from slipway.registry.ledger_tags import tags_of_transition
from slipway.types import Stage, Verdict

START_MS, STEP_MS = 1_764_000_000_000, 60_000
AUTHORS, REVIEWERS = ("ana", "ben", "cleo", "dan"), ("rita", "rob")
LONGEST = "model_0000"
_TABLES = (
    "experiments", "experiment_tags", "runs", "tags", "registered_models", "registered_model_aliases",
    "model_versions", "model_version_tags",
)  # fmt: skip
Row = dict[str, Any]


@dataclass
class ManyModels:
    """What is put into a database.

    Attributes:
        models: The number of registered models, `model_0000` and so on, each with versions 1 to `versions`.
        entries: The number of entries in all ledgers together.
        longest: How many of them are in the ledger of `model_0000`, on its last version.
        artifacts: The folder of the entries' artifacts, of which there are none.
    """

    models: int = 1000
    versions: int = 3
    entries: int = 20_000
    longest: int = 0
    artifacts: str = ""
    rows: dict[str, list[Row]] = field(default_factory=lambda: {name: [] for name in _TABLES})

    def into(self, database: Path) -> None:
        """Write it all into a SQLite database with MLflow's tables."""
        self.artifacts = str(database.parent / "artifacts")
        short = (self.entries - self.longest) // (self.models - 1 if self.longest else self.models)
        for number in range(self.models):
            self._model(number, self.longest if self.longest and not number else short)
        engine = create_engine(f"sqlite:///{database}")
        tables = MetaData()
        tables.reflect(engine, only=list(_TABLES))
        with engine.begin() as connection:
            for name, rows in self.rows.items():
                if rows:
                    connection.execute(insert(tables.tables[name]), rows)
        engine.dispose()

    def _model(self, number: int, entries: int) -> None:
        name, author = f"model_{number:04d}", AUTHORS[number % len(AUTHORS)]
        self.rows["registered_models"].append(
            {"name": name, "creation_time": START_MS, "last_updated_time": START_MS,
             "description": f"Say what {name} is for.", "workspace": "default"}
        )  # fmt: skip
        said = list(_history(name, number, self.versions, entries))
        stages = dict.fromkeys(range(1, self.versions + 1), Stage.NONE)
        for transition in said:
            if transition.action.moves:
                stages |= {v: Stage.ARCHIVED for v, stage in stages.items() if stage is transition.stage}
                stages[transition.version] = transition.stage
        for version, stage in stages.items():
            self._version(name, version, stage, author)
        self._ledger(number, name, said)

    def _version(self, name: str, version: int, stage: Stage, author: str) -> None:
        here = {"name": name, "version": version, "workspace": "default"}
        self.rows["model_versions"].append(
            {**here, "creation_time": START_MS + version, "last_updated_time": START_MS, "current_stage": stage.value,
             "source": "mlflow-artifacts:/0/none", "run_id": "", "status": "READY"}
        )  # fmt: skip
        tags = {"slipway.artifact_digest": f"d{version}", "slipway.author": author}
        self.rows["model_version_tags"] += [{**here, "key": key, "value": value} for key, value in tags.items()]
        if stage in (Stage.STAGING, Stage.PRODUCTION):
            alias = {"name": name, "alias": stage.lower(), "version": version, "workspace": "default"}
            self.rows["registered_model_aliases"].append(alias)

    def _ledger(self, number: int, name: str, said: list[Transition]) -> None:
        experiment = 1000 + number
        self.rows["experiments"].append(
            {"experiment_id": experiment, "name": f"{name}/promotions", "artifact_location": self.artifacts,
             "lifecycle_stage": "active", "creation_time": START_MS, "last_update_time": START_MS, "workspace": "default"}
        )  # fmt: skip
        head = ""
        for transition in said:
            previous, head = head, hash_of(transition, head)
            self._entry(experiment, transition, previous, head)
        tag = {"experiment_id": experiment, "key": "slipway.head", "value": head}
        self.rows["experiment_tags"].append(tag)

    def _entry(self, experiment: int, transition: Transition, previous: str, entry: str) -> None:
        run = uuid.uuid4().hex
        self.rows["runs"].append(
            {"run_uuid": run, "name": f"v{transition.version}", "source_type": "UNKNOWN", "user_id": transition.by,
             "status": "FINISHED", "start_time": transition.at_ms, "end_time": transition.at_ms + 1, "source_version": "",
             "lifecycle_stage": "active", "artifact_uri": f"{self.artifacts}/{run}", "experiment_id": experiment}
        )  # fmt: skip
        chain = {"slipway.entry": entry, "slipway.previous": previous, "slipway.seal": seal_of(entry, True)}
        tags = {**tags_of_transition(transition), **chain}
        self.rows["tags"] += [{"run_uuid": run, "key": key, "value": value} for key, value in tags.items()]


def _history(name: str, number: int, versions: int, entries: int) -> Iterator[Transition]:
    """Return a history in which the last version waits for an approval, is refused, passes, or was never judged, by number.

    Each earlier version is judged and promoted in its turn. What is left of the entries is talk about the last version.
    """
    at, live = START_MS + number, None
    author = AUTHORS[number % len(AUTHORS)]

    def said(action: Action, version: int, by: str, **more: Any) -> Transition:
        return Transition(name, action, version, Stage.PRODUCTION, by, at, digest=f"d{version}", **more)

    made: list[Transition] = []
    for version in range(1, versions):
        evidence = f"{version:064d}"
        made.append(said(Action.JUDGE, version, author, replaced=live, verdicts=_verdicts(True), evidence=evidence))
        yes = said(Action.APPROVE, version, REVIEWERS[number % 2], comment="read it", evidence=evidence)
        verdicts = (*_verdicts(True)[:-1], approval(1, (yes,)))
        made += [yes, said(Action.PROMOTE, version, yes.by, replaced=live, verdicts=verdicts, evidence=evidence)]
        live = version
    if number % 4 != 3:
        passed, evidence = number % 4 != 1, f"{versions:064d}"
        judged = said(Action.JUDGE, versions, author, replaced=live, verdicts=_verdicts(passed), evidence=evidence)
        talk = [replace(judged, comment=f"judged again, {i}") for i in range(max(0, entries - len(made) - 2))]
        for i in range(0, len(talk), 2):
            talk[i] = said(Action.COMMENT, versions, REVIEWERS[i // 2 % 2], comment=f"what about row {i}?")
        made += [judged, *talk]
        if number % 4 == 2:
            made.append(said(Action.APPROVE, versions, REVIEWERS[0], comment="fine", evidence=evidence))
    more = (said(Action.COMMENT, versions, REVIEWERS[i % 2], comment=f"when, {i}?") for i in itertools.count())
    for i, transition in enumerate(itertools.islice(itertools.chain(made, more), entries)):
        yield replace(transition, at_ms=at + STEP_MS * i)


def _verdicts(passed: bool) -> tuple[Verdict, ...]:
    gates = [Verdict(f"gate_{i}", True, "as it was measured", {"value": 0.8}) for i in range(6)]
    return (*gates, Verdict("thresholds", passed, "roc_auc 0.81", {"roc_auc": 0.81}), approval(1, ()))
