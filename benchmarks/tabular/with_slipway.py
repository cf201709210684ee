"""Slipway from a table to a live endpoint: `init`, `run`, `promote`, `serve`, `score`, with no file edited in between."""

import http.client
import json
import statistics
import time
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pandas as pd

from tabular.answers import Answers, of_classes, of_numbers
from tabular.catalogue import Table
from tabular.files import TEST, TRAIN
from tabular.outcome import Outcome
from tabular.project import CommandFailed, Project

WARM, ASKED = 20, 200
SCOPE = (
    "--goal",
    "Predict the column well on rows that come later.",
    "--decision",
    "Rows are treated by what is predicted.",
    "--owner",
    "bench@example.org",
)


def measure(table: Table, folder: Path, seconds: float) -> Outcome:
    """Go the whole way. The wall time is that of `init` and `run`, since the others move and serve nothing.

    Raises CommandFailed.
    """
    project, name = Project.make(folder / "project"), table.name
    scored = folder / "scored.csv"
    with project.staying("up", "--port", "0"):
        made = project.run(
            "init", name, "--data", str(folder / TRAIN), "--target", table.target, "--metric", table.metric, *SCOPE
        )
        found = project.run("run", name, "--timeout-s", str(seconds))
        moved = project.run("promote", name, str(found.said["version"]), "Production")
        clock = time.perf_counter()
        with project.staying("serve", name, "--port", "0") as service:
            served_s = time.perf_counter() - clock
            row_ms = one_row_ms(str(service["url"]), folder / TEST)
            not_compiled = why_not_compiled(str(service["url"]))
        done = project.run("score", name, str(folder / TEST), str(scored))
    steps = {
        "init_s": made.wall_s,
        "run_s": found.wall_s,
        "promote_s": moved.wall_s,
        "serve_s": served_s,
        "score_s": done.wall_s,
    }
    return Outcome(read_scored(scored), made.wall_s + found.wall_s, row_ms, steps, not_compiled)


def one_row_ms(url: str, test: Path) -> float:
    """The median time of an answer of the endpoint to one row, over a connection that is kept."""
    where = urlsplit(url)
    connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=60)
    bodies, took = _bodies(test), []
    for i in range(WARM + ASKED):
        clock = time.perf_counter()
        connection.request("POST", "/invocations", bodies[i % len(bodies)], {"Content-Type": "application/json"})
        answer = connection.getresponse()
        said = answer.read()
        took.append(1000 * (time.perf_counter() - clock))
        if answer.status != 200:
            raise CommandFailed(
                "serve", f"{answer.status} to a row of the table: {said.decode(errors='replace')[:300]}"
            )
    connection.close()
    return statistics.median(took[WARM:])


def why_not_compiled(url: str) -> str:
    """Return what `/ready` says of a model that no plan answers for; empty where one does."""
    with urllib.request.urlopen(f"{url}/ready", timeout=60) as answer:
        models: dict[str, dict[str, Any]] = json.load(answer)["models"]
    return "; ".join(str(each.get("not_compiled_because", "")) for each in models.values() if not each["compiled"])


def read_scored(path: Path) -> Answers:
    rows = pd.read_csv(path, low_memory=False)
    named = {
        str(name).removeprefix("probability_"): name for name in rows.columns if str(name).startswith("probability_")
    }
    return of_classes(rows[list(named.values())], list(named)) if named else of_numbers(rows["prediction"])


def _bodies(test: Path) -> list[bytes]:
    """Rows of the table as a caller would write them: whole numbers without a point, null where a value is missing."""
    rows = pd.read_csv(test, nrows=ASKED, low_memory=False).convert_dtypes().astype(object)
    records: list[dict[str, Any]] = rows.where(rows.notna(), None).to_dict("records")
    return [json.dumps({"dataframe_records": [record]}).encode() for record in records]
