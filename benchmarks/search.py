"""How close a search comes to the sum of its fits over the cores, beside a plain MLflow script and Optuna. See README.md."""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from machine import cores, end_in_order, machine, table, write_results
from searches import IDEAL, PLAIN, PLAIN_ONE, PROCESSES, SYSTEMS, System
from searches.task import ROOT, TREES, prepare_task
from slipway.processes import child_environment
from slipway.tracking.record import Server
from slipway.tracking.server import start_server, stop_server

HERE = Path(__file__).parent
Round = dict[str, dict[str, Any]]
"""What each system gave in one round, by its name."""

HEADER = [
    "estimator, system",
    "threads a fit",
    "wall s",
    "× ideal",
    "CPU × ideal",
    "faster than plain",
    "than its one thread",
    "tracking s",
    "of wall",
]


def main() -> None:
    given = arguments()
    end_in_order()
    on = machine()
    chosen = [system for system in SYSTEMS if system.name in given.systems or system.name == IDEAL]
    rows, said, settings = [], [], []
    for estimator in given.estimators:
        with tempfile.TemporaryDirectory(prefix="slipway-bench-", ignore_cleanup_errors=True) as made:
            folder, trees = Path(made), TREES[estimator]
            settings.append(prepare_task(folder, estimator, given.trials, given.rows, trees, given.seed))
            home = folder / "server"
            try:
                server = start_server(home, port=0)
                rounds = measure_all(chosen, folder, server, given.repeats)
            finally:
                stop_server(home)
        own = [{"estimator": estimator, **row(system, rounds, given.trials)} for system in chosen]
        said += [f"{estimator}: {line}" for line in (*doubts(rounds), targets(own))]
        rows += own
    print(report(rows))
    print("\n" + "\n".join(said))
    path = write_results("search", {"tasks": settings, "repeats": given.repeats}, on, rows)
    print(f"written to {path.relative_to(ROOT)}")


def arguments() -> argparse.Namespace:
    names = [system.name for system in SYSTEMS]
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=30)
    parser.add_argument("--repeats", type=int, default=3, help="rounds; each measures every system once")
    parser.add_argument("--rows", type=int, help="training rows to draw; by default all 119,223")
    parser.add_argument("--estimators", nargs="+", choices=list(TREES), default=list(TREES), help="what is searched")
    parser.add_argument("--seed", type=int, default=0, help="of the parameter sets and the drawn rows")
    parser.add_argument("--systems", nargs="+", choices=names, default=names, metavar="NAME", help="; ".join(names))
    return parser.parse_args()


def measure_all(chosen: Sequence[System], folder: Path, server: Server, repeats: int) -> list[Round]:
    """Measure the ideal before, between and after the rounds, and the others in another order in each round."""
    ideal = next(system for system in chosen if system.name == IDEAL)
    others = [system for system in chosen if system is not ideal]
    rounds: list[Round] = []
    before = measure(ideal, folder, server, "before")
    for i in range(repeats):
        first = i % len(others) if others else 0
        found = {
            system.name: measure(system, folder, server, f"round {i + 1}") for system in others[first:] + others[:first]
        }
        after = measure(ideal, folder, server, f"after round {i + 1}")
        rounds.append({**found, IDEAL: _mean_of_ideals(before, after)})
        before = after
    return rounds


def measure(system: System, folder: Path, server: Server, when: str) -> dict[str, Any]:
    """Run one system in a process of its own and return what it measured of itself."""
    name = f"{system.name}, {when}"
    where = {"MLFLOW_TRACKING_URI": server.uri, "MLFLOW_EXPERIMENT_NAME": name}
    paths = {"PYTHONPATH": f"{HERE}:{ROOT / 'src'}", "TQDM_DISABLE": "1"}
    env = child_environment({**system.env, **where, **paths}, without=("MLFLOW_", "OMP_", "OPENBLAS_", "SLIPWAY_"))
    output, log = folder / f"{name}.json", folder / f"{name}.log"
    print(f"  {name} …", file=sys.stderr, flush=True)
    with log.open("wb") as stream:
        command = [sys.executable, "-m", "searches.measure", system.name, str(folder), str(output), str(server.pid)]
        done = subprocess.run(command, env=env, cwd=ROOT, stdout=stream, stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        sys.exit(f"{name} failed:\n{log.read_text(errors='replace')[-4000:]}")
    measured: dict[str, Any] = json.loads(output.read_text(encoding="utf-8"))
    if system.tracked:
        measured["runs"] = _runs_below_parents(server.uri, name)
    return measured


def row(system: System, rounds: Sequence[Round], trials: int) -> dict[str, Any]:
    """Medians over the rounds; a ratio is taken within each round first, since the machine changes between them."""
    own = [found[system.name] for found in rounds]
    wall_s = [measured["wall_s"] for measured in own]
    ideal_s = [found[IDEAL]["wall_s"] for found in rounds]
    waits = [measured["tracking_s"] for measured in own if "tracking_s" in measured]
    details = [measured.get("details", {}) for measured in own]
    return {
        "system": system.name,
        "trials": trials,
        "threads": f"{cores()}, default" if system.threads == "default" else system.threads,
        "wall_s": _median(wall_s),
        "ideal_s": _median(ideal_s),
        "tracking_s": _median(waits) if waits else None,
        "cpu_s": _median([measured["cpu_s"] for measured in own]),
        "wall_by_ideal": _median([w / i for w, i in zip(wall_s, ideal_s, strict=True)]),
        "cpu_by_ideal": _median([found[system.name]["cpu_s"] / found[IDEAL]["cpu_s"] for found in rounds]),
        "plain_by_wall": _by_wall(PLAIN, rounds, wall_s),
        "plain_one_thread_by_wall": _by_wall(PLAIN_ONE, rounds, wall_s),
        "tracking_share": _median([w / s for w, s in zip(waits, wall_s, strict=True)]) if waits else None,
        "wall_s_of_rounds": [round(s, 3) for s in wall_s],
        "details": {key: _median([each[key] for each in details]) for key in details[0]},
    }


def report(rows: Sequence[Mapping[str, Any]]) -> str:
    keys = ["wall_s", "wall_by_ideal", "cpu_by_ideal", "plain_by_wall", "plain_one_thread_by_wall", "tracking_s"]
    lines = [
        [
            f"{found['estimator']}, {found['system']}",
            str(found["threads"]),
            *("–" if found[key] is None else f"{found[key]:.2f}" for key in keys),
            "–" if found["tracking_share"] is None else f"{found['tracking_share']:.1%}",
        ]
        for found in rows
    ]
    return table(HEADER, lines)


def doubts(rounds: Sequence[Round]) -> list[str]:
    """What a reader has to know before believing the numbers."""
    ideals = [found[IDEAL] for found in rounds]
    each = [cpu_s for found in ideals for cpu_s in found["each_cpu_s"]]
    slower = max(found["own_wall_s"] / (found["wall_s"] * cores()) for found in ideals)
    moved = max(each) / min(each)
    said = [f"the ideal moved by {moved - 1:.1%} between rounds; alone, its fits waited {slower - 1:.1%} for a core"]
    for number, found in enumerate(rounds, start=1):
        for name, measured in found.items():
            pairs = zip(measured["scores"], found[IDEAL]["scores"], strict=True)
            if any(score is None or abs(score - wanted) > 1e-9 for score, wanted in pairs):
                said.append(f"DIFFERENT WORK: round {number}, {name} did not get the scores that the ideal got")
            if measured.get("runs", len(measured["scores"])) != len(measured["scores"]):
                said.append(f"NOT WRITTEN: round {number}, {name} left {measured['runs']} runs")
    return said


def targets(rows: Sequence[Mapping[str, Any]]) -> str:
    found = {row["system"]: row for row in rows}.get(PROCESSES)
    if found is None:
        return "no targets: slipway processes was not measured"
    checks = [
        ("at most 1.15 × ideal", found["wall_by_ideal"], "×", lambda value: value <= 1.15),
        ("at least 1.7 × as fast as plain", found["plain_by_wall"], "×", lambda value: value >= 1.7),
        ("tracking at most 3 % of wall", 100 * found["tracking_share"], "%", lambda value: value <= 3),
    ]
    said = [
        f"{what}: "
        + ("not measured" if value is None else f"{value:.2f} {unit}, {'met' if holds(value) else 'missed'}")
        for what, value, unit, holds in checks
    ]
    return f"targets of {PROCESSES} · " + " · ".join(said)


def _mean_of_ideals(*measured: Mapping[str, Any]) -> dict[str, Any]:
    """The CPU seconds of all fits in one thread, spread over the cores without loss; the mean of before and after."""
    each_cpu_s = [sum(each["fits_cpu_s"]) for each in measured]
    cpu_s = statistics.mean(each_cpu_s)
    own_wall_s = statistics.mean(each["wall_s"] for each in measured)
    facts = {"cpu_s": cpu_s, "each_cpu_s": each_cpu_s, "own_wall_s": own_wall_s, "scores": measured[0]["scores"]}
    return {"wall_s": cpu_s / cores(), **facts}


def _by_wall(name: str, rounds: Sequence[Round], wall_s: Sequence[float]) -> float | None:
    if name not in rounds[0]:
        return None
    return _median([found[name]["wall_s"] / own for found, own in zip(rounds, wall_s, strict=True)])


def _runs_below_parents(uri: str, experiment: str) -> int:
    """How many finished runs with a metric are below a parent: what the search was to leave behind."""
    from mlflow import MlflowClient

    client = MlflowClient(uri)
    found = client.get_experiment_by_name(experiment)
    runs = client.search_runs(
        [found.experiment_id], "attributes.status = 'FINISHED' and metrics.roc_auc > 0", max_results=1000
    )
    return sum("mlflow.parentRunId" in run.data.tags for run in runs)


def _median(values: Sequence[float]) -> float:
    return round(statistics.median(values), 4)


if __name__ == "__main__":
    main()
