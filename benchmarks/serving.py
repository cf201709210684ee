"""Slipway's endpoint beside `mlflow models serve`, MLServer, BentoML, LitServe and bare FastAPI. See README.md."""

import argparse
import statistics
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from machine import end_in_order, machine, table, write_results
from servers.ours import Endpoint, slipway
from servers.pipelines import ESTIMATORS, NUMBERS, TEXTS, body, fitted
from servers.rivals import NOTHING, RIVALS, python_of, rivals
from servers.server import POLLS, SLEEPS, Server
from slipway.errors import SlipwayError

OURS, STOCK, HANDOVER = "slipway", "mlflow", "slipway, promoting"
NOT_COMPILED = "neighbours"
WARM_S = 0.3
PROMOTING_S = 3.0
"""The least time of a measurement with a promotion in it."""

Row = dict[str, Any]


def main() -> None:
    args = arguments()
    end_in_order()
    on = machine()
    versions, missing = installed([name for name in args.servers if name != OURS])
    with tempfile.TemporaryDirectory() as name:
        try:
            rows = measured(args, list(versions), Path(name))
        except SlipwayError as error:  # such as a server that does not start
            sys.exit(str(error))
    settings = {
        "rounds": args.rounds,
        "seconds": args.seconds,
        "columns": len(NUMBERS + TEXTS),
        "not_measured": missing,
    }
    print("\n".join([report(rows), *missing, *spoilt(rows)]))
    print(f"written to {write_results('serving', settings, on, rows, versions)}")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    servers = [OURS, *(name for name in RIVALS if name != NOTHING)]
    parser.add_argument("--rounds", type=int, default=3, help="measurements of each server in turn; the median counts")
    parser.add_argument("--seconds", type=float, default=0.7, help="length of one measurement")
    parser.add_argument("--models", nargs="+", choices=list(ESTIMATORS), default=list(ESTIMATORS))
    parser.add_argument("--rows", nargs="+", type=int, default=[1, 100, 1000], help="of a request")
    parser.add_argument("--clients", nargs="+", type=int, default=[1, 16])
    parser.add_argument("--workers", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--servers", nargs="+", choices=servers, default=servers)
    return parser.parse_args()


def measured(args: argparse.Namespace, others: list[str], folder: Path) -> list[Row]:
    """Measure the client, then every model with every number of workers."""
    rows = of_the_client(args, folder)
    for model in args.models:
        files = fitted(model, folder / model)
        for workers in args.workers:
            rows += of_a_model(model, files, workers, others, args, folder)
    return rows


def installed(names: Sequence[str]) -> tuple[dict[str, str], list[str]]:
    """Return the versions of what is there by the name of the server, and a line for each that is not."""
    versions, missing = {}, []
    for name in names:
        ask = f"from importlib.metadata import version; print(version({RIVALS[name].package!r}))"
        try:
            said = subprocess.run([python_of(name), "-c", ask], capture_output=True, text=True, check=True)
            versions[name] = said.stdout.strip()
        except (OSError, subprocess.CalledProcessError):
            missing.append(f"{name} was not measured: its environment is not there; make .venv/bench-{name}.stamp")
    return versions, missing


def of_the_client(args: argparse.Namespace, folder: Path) -> list[Row]:
    """Measure a server that does nothing: beyond its figures the client cannot see."""
    with rivals([NOTHING], folder / "none", 1, folder) as servers:
        return [row for clients in args.clients for row in in_turn(servers, "none", 1, clients, args)]


def of_a_model(
    model: str, files: Path, workers: int, others: list[str], args: argparse.Namespace, folder: Path
) -> list[Row]:
    """Measure all servers with one model: up together, asked in turn. What is not compiled is asked for single rows alone."""
    sizes = args.rows if model != NOT_COMPILED else [size for size in args.rows if size == 1]
    names = others if model != NOT_COMPILED else [name for name in others if name == STOCK]
    found: list[Row] = []
    with ExitStack() as stack:
        servers, endpoint = [], None
        if OURS in args.servers:
            ours, endpoint = stack.enter_context(slipway(files, workers, folder))
            servers.append(ours)
        servers += stack.enter_context(rivals(names, files, workers, folder))
        must_agree(servers)
        for size in sizes:
            for clients in args.clients:
                found += in_turn(servers, model, size, clients, args)
        if 1 in sizes and 1 in args.clients:
            found += in_turn([each for each in servers if each.name in (OURS, STOCK)], model, 1, 1, args, SLEEPS)
        if endpoint is not None and 1 in sizes:
            found += [promoting(ours, endpoint, model, clients, args) for clients in args.clients]
    return found


def must_agree(servers: Sequence[Server]) -> None:
    """End when two servers do not predict the same."""
    said = {server.name: server.predictions(body(100)) for server in servers}
    if any(each != said[servers[0].name] for each in said.values()):
        sys.exit(f"the servers do not predict the same: { ({name: each[:10] for name, each in said.items()}) }")


def in_turn(
    servers: Sequence[Server], model: str, size: int, clients: int, args: argparse.Namespace, how: str = ""
) -> list[Row]:
    """Ask each server in turn, round by round, after a short time in which each gets warm. how: the client waits."""
    how = how or waiting(clients)
    request, rounds = body(size), {server.name: list[dict[str, float]]() for server in servers}
    for server in servers:
        server.load(request, clients, WARM_S, how)
    for _ in range(args.rounds):
        for server in servers:
            rounds[server.name].append(server.load(request, clients, args.seconds, how))
    return [row(server, model, size, clients, how, rounds[server.name]) for server in servers]


def waiting(clients: int) -> str:
    """Return how a client waits: one alone has a core to itself; where there are more, the servers need it."""
    return POLLS if clients == 1 else SLEEPS


def promoting(server: Server, endpoint: Endpoint, model: str, clients: int, args: argparse.Namespace) -> Row:
    """Ask for single rows while another version is loaded, verified, compiled, and takes over; the client sleeps."""
    rounds, late = [], 0
    for _ in range(args.rounds):
        threading.Timer(0.5, endpoint.promote).start()
        rounds.append(server.load(body(1), clients, max(PROMOTING_S, args.seconds), SLEEPS))
        late += not endpoint.taken_over.is_set()
        if not endpoint.taken_over.wait(60):
            sys.exit("a version that was promoted did not take over within a minute")
    return row(server, model, 1, clients, SLEEPS, rounds) | {"server": HANDOVER, "late": late}


def row(server: Server, model: str, size: int, clients: int, how: str, rounds: Sequence[dict[str, float]]) -> Row:
    """Return the medians of the rounds; of max_ms the largest, of over_35ms the share of all, of failed the sum."""
    medians = {
        key: statistics.median(one[key] for one in rounds)
        for key in ("rps", "p50_ms", "p99_ms", "cpu_ms", "client_load")
    }
    answers = sum(one["requests"] for one in rounds)
    whole = {
        "failed": sum(one["failed"] for one in rounds),
        "max_ms": max(one["max_ms"] for one in rounds),
        "over_35ms": sum(one["over_35ms"] for one in rounds) / answers,
    }
    place = {
        "server": server.name,
        "model": model,
        "rows": size,
        "clients": clients,
        "workers": server.workers,
        "client": how,
    }
    found = place | {key: round(value, 5) for key, value in (medians | whole).items()}
    print(f"  {found}", file=sys.stderr, flush=True)
    return found


def report(rows: Sequence[Row]) -> str:
    """Return the table. × mlflow and by CPU are against its one worker, × 1 worker against the server's own."""
    header = [
        "model",
        "rows",
        "clients",
        "workers",
        "server",
        "req/s",
        "p50 ms",
        "p99 ms",
        "CPU ms",
        "× mlflow",
        "by CPU",
    ]
    header += ["× 1 worker", "max ms", "> 35 ms", "client", "its load"]
    of_one = {place(row): row for row in rows if row["workers"] == 1}
    lines = []
    for row in rows:
        stock, alone = of_one.get((STOCK, *place(row)[1:])), of_one.get(place(row))
        lines.append(
            [
                *(str(row[name]) for name in ("model", "rows", "clients", "workers", "server")),
                f"{row['rps']:,.0f}",
                *(f"{row[name]:.3f}" for name in ("p50_ms", "p99_ms", "cpu_ms")),
                f"{row['rps'] / stock['rps']:.1f}" if stock else "",
                f"{stock['cpu_ms'] / row['cpu_ms']:.1f}" if stock else "",
                f"{row['rps'] / alone['rps']:.2f}" if alone and row["workers"] > 1 else "",
                f"{row['max_ms']:.1f}",
                f"{row['over_35ms']:.2%}" if row["rows"] == 1 else "",
                row["client"],
                f"{row['client_load']:.0%}",
            ]
        )
    return table(header, lines)


def spoilt(rows: Sequence[Row]) -> list[str]:
    """Return a line for each row that is not what it should be."""
    where = [
        f"{row['server']} ({row['model']}, {row['rows']} rows, {row['clients']} clients, {row['workers']} workers)"
        for row in rows
    ]
    failed = [
        f"{at}: {row['failed']} requests were not answered with 200"
        for at, row in zip(where, rows, strict=True)
        if row["failed"]
    ]
    late = [
        f"{at}: {row['late']} promotions ended after the measurement"
        for at, row in zip(where, rows, strict=True)
        if row.get("late")
    ]
    return failed + late


def place(row: Row) -> tuple[Any, ...]:
    """Return what a row is of, whatever its workers."""
    return tuple(row[name] for name in ("server", "model", "rows", "clients", "client"))


if __name__ == "__main__":
    main()
