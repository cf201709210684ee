"""Thousands of runs in a tracking database within seconds: copies of runs that Slipway itself wrote, put in by SQL."""

import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import Connection, MetaData, Table, create_engine, func, insert, select

OF_A_RUN = ("params", "metrics", "latest_metrics", "tags")
OF_A_VERSION = ("model_versions", "model_version_tags")
CHILDREN_LEAST, CHILDREN_MOST = 20, 60
HOUR_MS = 3_600_000
BATCH = 50_000

Row = dict[str, Any]
Template = Mapping[str, Sequence[Row]]
"""All rows of one run, by table."""


def crowd(database: Path, parent: str, trial: str, total: int, seed: int = 0) -> None:
    """Add copies of a search, its trial and its version to their experiment until it holds `total` runs.

    parent, trial: ids of the runs to copy. Each search gets 20 to 60 trials, the last as many as are missing, and a version.
    Copies have ids, names, numbers, times and values of metrics of their own, and are older than what they are copies of.
    """
    engine, rng = create_engine(f"sqlite:///{database}"), np.random.default_rng(seed)
    tables = MetaData()
    tables.reflect(engine, only=["runs", "inputs", *OF_A_RUN, *OF_A_VERSION])
    with engine.begin() as connection:
        templates = [_template(connection, tables, run) for run in (parent, trial)]
        version = _version(connection, tables, parent)
        missing = total - _count(connection, tables.tables["runs"], templates[0]["runs"][0]["experiment_id"])
        new: dict[str, list[Row]] = {name: [] for name in tables.tables}
        searches = 0
        while missing > 0:
            children = min(int(rng.integers(CHILDREN_LEAST, CHILDREN_MOST, endpoint=True)), missing - 1)
            searches += 1
            run = _add_search(new, templates, children, searches * HOUR_MS, rng)
            _add_version(new, version, run, searches)
            missing -= 1 + children
        for name, rows in new.items():
            for i in range(0, len(rows), BATCH):
                connection.execute(insert(tables.tables[name]), rows[i : i + BATCH])
    engine.dispose()


def _add_search(
    new: dict[str, list[Row]], templates: Sequence[Template], children: int, age_ms: int, rng: np.random.Generator
) -> str:
    parent = _add_copy(new, templates[0], {}, "search", age_ms, rng)
    for number in range(1, children + 1):
        tags = {"mlflow.parentRunId": parent, "slipway.trial": str(number)}
        _add_copy(new, templates[1], tags, f"trial {number:03d}", age_ms - number * 1000, rng)
    return parent


def _add_version(new: dict[str, list[Row]], template: Template, run: str, after: int) -> None:
    (old,) = template["model_versions"]
    number = old["version"] + after
    new["model_versions"].append({**old, "version": number, "run_id": run})
    new["model_version_tags"] += [{**row, "version": number} for row in template["model_version_tags"]]


def _add_copy(
    new: dict[str, list[Row]],
    template: Template,
    tags: Mapping[str, str],
    name: str,
    age_ms: int,
    rng: np.random.Generator,
) -> str:
    run = uuid.uuid4().hex
    (old,) = template["runs"]
    times = {key: old[key] - age_ms for key in ("start_time", "end_time")}
    artifacts = old["artifact_uri"].replace(old["run_uuid"], run)
    new["runs"].append({**old, **times, "run_uuid": run, "name": name, "artifact_uri": artifacts})
    factors = {row["key"]: rng.uniform(0.9, 1.0) for row in template["latest_metrics"]}
    for table in OF_A_RUN:
        for row in template[table]:
            values = {"run_uuid": run}
            if "metrics" in table:
                values["value"] = row["value"] * factors[row["key"]]
            if table == "tags":
                values["value"] = {"mlflow.runName": name, **tags}.get(row["key"], row["value"])
            new[table].append({**row, **values})
    new["inputs"] += [{**row, "input_uuid": uuid.uuid4().hex, "destination_id": run} for row in template["inputs"]]
    return run


def _template(connection: Connection, tables: MetaData, run: str) -> Template:
    rows = {}
    for name in ("runs", *OF_A_RUN):
        table = tables.tables[name]
        rows[name] = _rows(connection, table, table.c.run_uuid == run)
    inputs = tables.tables["inputs"]
    rows["inputs"] = _rows(connection, inputs, inputs.c.destination_id == run)
    return rows


def _version(connection: Connection, tables: MetaData, run: str) -> Template:
    versions, tags = (tables.tables[name] for name in OF_A_VERSION)
    (found,) = _rows(connection, versions, versions.c.run_id == run)
    same = (tags.c.name == found["name"]) & (tags.c.version == found["version"])
    return {"model_versions": [found], "model_version_tags": _rows(connection, tags, same)}


def _rows(connection: Connection, table: Table, where: Any) -> list[Row]:
    return [dict(row) for row in connection.execute(select(table).where(where)).mappings()]


def _count(connection: Connection, runs: Table, experiment: int) -> int:
    found = connection.execute(select(func.count()).select_from(runs).where(runs.c.experiment_id == experiment))
    return int(found.scalar_one())
