"""Wall and CPU seconds of every command, on a home with 2 registered models beside one with 200. See README.md."""

import argparse
import configparser
import contextlib
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from homes import NAME, Home, ask, copy_home, cpu_s, make_first, serving
from machine import end_in_order, machine, table, versions, write_results
from profiles import busy_in, imported
from slipway.cli.app import COMMANDS
from slipway.tracking.auth import ADMIN, auth_file
from slipway.tracking.server import find_server, start_server, stop_server

LONGEST_S = 900.0
LEFT_OUT = {"demo": "it makes the others one after the other, on data of its own"}
PYTHON = (sys.executable,)


def nothing(_: Home) -> None:
    """What most commands need before they are timed."""


@dataclass(frozen=True)
class Command:
    """A command as it is timed. words: `{written}`, `{project}` and `{run_id}` in them stand for those of the home.

    env: what it sees. before, after: what is done around it and not timed. stays: it is timed until it answers a request.
    """

    words: str
    before: Callable[[Home], None] = nothing
    after: Callable[[Home], None] = nothing
    env: Callable[[Home], Mapping[str, str]] = field(default=lambda home: home.environment(home.folder))
    stdin: str = ""
    stays: bool = False

    @property
    def name(self) -> str:
        return self.words.split()[0]

    def __str__(self) -> str:
        return f"slipway {self.words.format(written='.', project='.', run_id='RUN')}"

    def line(self, home: Home) -> list[str]:
        words = [
            word.format(written=home.written, project=home.project, run_id=home.run_id) for word in self.words.split()
        ]
        return ["-m", "slipway", *words, *([] if self.name == "--help" else ["--project", str(home.project)])]


@dataclass(frozen=True)
class Taken:
    """What a command took. server_s: CPU of the tracking server meanwhile. said: what it wrote to standard error."""

    wall_s: float
    cpu_s: float
    server_s: float
    said: str = ""
    failed: str = ""


def unregister(home: Home) -> None:
    """Let the run have no version, past the server, which would not delete it."""
    for version in home.client.search_model_versions(f"name = '{NAME}' and run_id = '{home.run_id}'"):
        home.client.delete_model_version(NAME, version.version)


def start_secured(home: Home) -> None:
    start_server(home.secured, port=0, auth=True)


def as_admin(home: Home) -> Mapping[str, str]:
    settings = configparser.ConfigParser(interpolation=None)
    settings.read(auth_file(home.secured), encoding="utf-8")
    password = settings["mlflow"]["admin_password"]
    return home.environment(home.secured, MLFLOW_TRACKING_USERNAME=ADMIN, MLFLOW_TRACKING_PASSWORD=password)


def of_idle(home: Home) -> Mapping[str, str]:
    return home.environment(home.idle)


def restored(home: Home) -> Mapping[str, str]:
    return home.environment(home.written / "restored")


# In an order in which each finds what it needs, and leaves the home as the next round has to find it.
ROUND = (
    Command("--help"),
    Command("schema"),
    Command(f"check {NAME}"),
    Command(f"run {NAME} --trials 2"),
    Command(f"register {NAME} {{run_id}}", before=unregister),
    Command(f"history {NAME}"),
    Command(f"history {NAME} --last 20"),
    Command(f"history {NAME} --verify"),
    Command(f"reconcile {NAME}"),
    Command(f"compare {NAME} 1 2 --output {{written}}/compare.html"),
    Command(f"reproduce {NAME} 1"),
    Command(f"report {NAME} --output {{written}}/report.html"),
    Command(f"score {NAME} {{project}}/new.csv {{written}}/scored.csv"),
    Command(f"captured {NAME}"),
    Command(f"image {NAME} --output {{written}}/image"),
    Command(f"serve {NAME} --port 0 --json", stays=True),
    Command(f"gates {NAME} 2"),
    Command(
        f"approve {NAME} 2 --comment fine", env=lambda home: home.environment(home.folder, SLIPWAY_USER="reviewer")
    ),
    Command(f"promote {NAME} 2 Staging"),
    Command(f"archive {NAME} 2"),
    Command(f"promote {NAME} 2 Production --force"),
    Command(f"rollback {NAME}"),
    Command("user ana approver", start_secured, lambda home: _stop(home.secured), as_admin, "a password of ana\n"),
    Command("up --detach --port 0", env=of_idle),
    Command("down", env=of_idle),
    Command("backup {written}/home.zip", env=of_idle),
    Command("restore {written}/home.zip", lambda home: shutil.rmtree(home.written / "restored", True), env=restored),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=int, nargs=2, default=[2, 200], metavar=("FEW", "MANY"))
    parser.add_argument("--repeats", type=int, default=3, help="how often each command is timed on each home")
    parser.add_argument("--profile", action="store_true", help="then say of the five slowest where their seconds go")
    given = parser.parse_args()
    end_in_order()
    on = machine()
    with tempfile.TemporaryDirectory(prefix="slipway-bench-", ignore_cleanup_errors=True) as made, ExitStack() as stack:
        homes = open_homes(stack, Path(made), given.models)
        rounds = [one_round(homes, f"round {number} of {given.repeats}") for number in range(1, given.repeats + 1)]
        rows = [row(command, homes, [each[command] for each in rounds]) for command in ROUND]
        print(report(rows, homes, on))
        path = write_results("commands", {"models": given.models, "repeats": given.repeats}, on, rows)
        print(f"written to {path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path}")
        if given.profile:
            profile(homes[0], slowest(rows))


def open_homes(stack: ExitStack, folder: Path, models: Sequence[int]) -> list[Home]:
    print("  a home with three versions of one model …", file=sys.stderr, flush=True)
    project, run_id = make_first(folder)
    homes = []
    for count in models:
        print(f"  a home with {count:,} registered models …", file=sys.stderr, flush=True)
        homes.append(copy_home(folder, project, run_id, count))
        stack.callback(homes[-1].stop)
    return homes


def one_round(homes: Sequence[Home], said: str) -> dict[Command, list[Taken]]:
    """Time every command on each home in turn, so that a noise of the machine falls on both."""
    found: dict[Command, list[Taken]] = {}
    for command in ROUND:
        print(f"  {said}: {command} …", file=sys.stderr, flush=True)
        found[command] = [timed(command, home) for home in homes]
        for failure in {each.failed for each in found[command] if each.failed}:
            print(f"    {failure}", file=sys.stderr, flush=True)
    return found


def timed(command: Command, home: Home, python: Sequence[str] = PYTHON) -> Taken:
    """Run a command as a process of its own. What goes wrong with it is told with the rest."""
    try:
        command.before(home)
        line, env = [*python, *command.line(home)], command.env(home)
        return _until_it_answers(home, line, env) if command.stays else _until_it_ends(command, home, line, env)
    except Exception as error:  # the other commands can be timed all the same  # noqa: BLE001
        return Taken(0.0, 0.0, 0.0, failed=f"{type(error).__name__}: {error}")
    finally:
        command.after(home)


def _until_it_ends(command: Command, home: Home, line: Sequence[str], env: Mapping[str, str]) -> Taken:
    folder = Path(env["SLIPWAY_HOME"])
    before = find_server(folder)
    served, used, clock = cpu_s(before.pid) if before else 0.0, _children_cpu_s(), time.perf_counter()
    done = subprocess.run(
        line, env=env, cwd=home.written, input=command.stdin, capture_output=True, text=True, timeout=LONGEST_S
    )
    wall, used = time.perf_counter() - clock, _children_cpu_s() - used
    after = find_server(folder)  # one that `up` started, or none after `down`
    server = cpu_s(after.pid) - served if after else 0.0
    failed = f"exit code {done.returncode}: {(done.stderr or done.stdout).strip()[-500:]}" if done.returncode else ""
    return Taken(wall, used, server, done.stderr, failed)


def _until_it_answers(home: Home, line: Sequence[str], env: Mapping[str, str]) -> Taken:
    log, served, clock = home.written / "serve.log", cpu_s(home.server), time.perf_counter()
    with serving(line, env, log) as (process, url):
        ask(url)
        wall, used = time.perf_counter() - clock, cpu_s(process.pid)
        server = cpu_s(home.server) - served
    return Taken(wall, used, server, log.read_text(encoding="utf-8"))


def _children_cpu_s() -> float:
    """CPU seconds of the processes that have ended and were waited for: servers that are up are not among them."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def row(command: Command, homes: Sequence[Home], rounds: Sequence[Sequence[Taken]]) -> dict[str, Any]:
    """Return the medians of a command's seconds on each home, and each of them; none where it failed every time."""
    by_home: dict[str, Any] = {}
    for home, found in zip(homes, zip(*rounds, strict=True), strict=True):
        good = [each for each in found if not each.failed]
        parts = {part: [round(getattr(each, part), 3) for each in good] for part in ("wall_s", "cpu_s", "server_s")}
        medians = {part: round(statistics.median(values), 3) for part, values in parts.items() if values}
        by_home[str(home.models)] = {
            **medians,
            "steps": _steps([each.said for each in good]),
            "each": parts,
            "failed": [each.failed for each in found if each.failed],
        }
    return {"command": str(command), "homes": by_home}


# As `slipway.progress.step` writes a step that is done: what it was, and its wall seconds.
_STEP = re.compile(r"^ {2}(\w+).* · (\d+\.\d+) s *$", re.MULTILINE)


def _steps(said: Sequence[str]) -> dict[str, float]:
    """Return the medians of the wall seconds of a command's steps, by the first word of each."""
    found: dict[str, list[float]] = {}
    for each in said:
        for word, seconds in _STEP.findall(each):
            found.setdefault(word, []).append(float(seconds))
    return {word: round(statistics.median(seconds), 1) for word, seconds in found.items()}


def report(rows: Sequence[Mapping[str, Any]], homes: Sequence[Home], on: Mapping[str, Any]) -> str:
    header = [
        "",
        *(f"{part}{home.models}" for home in homes for part in ("wall s, ", "CPU s, ", "server CPU s, ")),
        "ratio",
    ]
    lines = []
    for each in rows:
        few, many = each["homes"].values()
        parts = [f"{home[part]:.2f}" if part in home else "failed" for home in (few, many) for part in _PARTS]
        both = "wall_s" in few and "wall_s" in many
        lines.append([each["command"], *parts, f"{many['wall_s'] / few['wall_s']:.2f}" if both else ""])
        lines += _lines_of_steps(few.get("steps", {}), many.get("steps", {}))
    told = [f"not timed: slipway {name}{': ' if why else ''}{why}" for name, why in _not_timed().items()]
    ran_on = f"{on['cores']} cores of {on['cpu']}, load {on['load_1min_before']} before"
    used = ", ".join(f"{name} {number}" for name, number in versions().items())
    return "\n".join([table(header, lines), *told, ran_on, used])


def _lines_of_steps(few: Mapping[str, float], many: Mapping[str, float]) -> list[list[str]]:
    """Return a line for each step of a command that has several, with wall seconds alone."""
    names = list(few) if len(few) > 1 else []
    return [
        [f"  … {name}", f"{few[name]:.1f}", "", "", f"{many[name]:.1f}" if name in many else "", "", "", ""]
        for name in names
    ]


_PARTS = ("wall_s", "cpu_s", "server_s")


def _not_timed() -> dict[str, str]:
    """The commands that are in no round: those that are left out, and new ones that nobody has put in yet."""
    there = {command.name for command in ROUND}
    return {name: LEFT_OUT.get(name, "it is in no round yet") for name in COMMANDS if name not in there}


def slowest(rows: Sequence[Mapping[str, Any]], most: int = 5) -> list[Command]:
    """Return the commands that took longest on the first home."""
    walls = [next(iter(each["homes"].values())).get("wall_s", 0.0) for each in rows]
    order = sorted(range(len(ROUND)), key=lambda at: -walls[at])
    return [ROUND[at] for at in order[:most]]


def profile(home: Home, commands: Sequence[Command]) -> None:
    """Run two rounds more, some commands with their imports timed and then under cProfile, and print what that says."""
    file = home.written / "profile"
    imports, functions = dict[Command, str](), dict[Command, list[str]]()
    for command in ROUND:
        found = timed(command, home, (*PYTHON, "-X", "importtime") if command in commands else PYTHON)
        if command in commands:
            imports[command] = imported(found.said)
    for command in ROUND:
        file.unlink(missing_ok=True)
        timed(command, home, (*PYTHON, "-m", "cProfile", "-o", str(file)) if command in commands else PYTHON)
        if command in commands:
            functions[command] = busy_in(file) if file.exists() else ["no profile was written"]
    for command in commands:
        print("", command, f"  {imports[command]}", *(f"  {line}" for line in functions[command]), sep="\n")


def _stop(home: Path) -> None:
    with contextlib.suppress(Exception):
        stop_server(home)


if __name__ == "__main__":
    main()
