"""A Slipway project of its own in a folder, with a home and a server, used through the command line as anybody would."""

import contextlib
import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from slipway.processes import child_environment
from tabular.memory import Peak, watched

LOCK = Path(__file__).parents[2] / "requirements.lock"
LONGEST_S = 3600.0
_STOP_S = 60


class CommandFailed(Exception):
    """A command of Slipway ended with another code than 0, or a service did not answer."""

    def __init__(self, command: str, said: str):
        super().__init__(f"{command}: {said.removeprefix('slipway: ')}")


@dataclass(frozen=True)
class Done:
    """What a command printed as JSON, how long it took, and the most memory that it and its processes held at once."""

    said: dict[str, Any]
    wall_s: float
    peak: Peak


@dataclass(frozen=True)
class Project:
    """home: of the tracking server. folder: holds experiments/ and the log of each command."""

    folder: Path

    @classmethod
    def make(cls, folder: Path) -> "Project":
        (folder / "experiments").mkdir(parents=True)
        shutil.copyfile(LOCK, folder / LOCK.name)
        return cls(folder)

    @property
    def env(self) -> dict[str, str]:
        return child_environment(
            {"SLIPWAY_HOME": str(self.folder / "home"), "TQDM_DISABLE": "1"}, without=("MLFLOW_", "SLIPWAY_")
        )

    def run(self, *words: str) -> Done:
        """Run a command with --json until its end. Raises CommandFailed with its error in one line."""
        clock = time.perf_counter()
        with self._started(words) as process, watched(process.pid) as peak:
            try:
                printed, _ = process.communicate(timeout=LONGEST_S)
            except subprocess.TimeoutExpired:
                raise CommandFailed(words[0], f"not ready after {LONGEST_S:.0f} s") from None
        wall_s = time.perf_counter() - clock
        if process.returncode:
            raise CommandFailed(words[0], _one_line(self._log(words).read_text(encoding="utf-8") or printed))
        return Done(json.loads(printed), wall_s, peak)

    @contextlib.contextmanager
    def staying(self, *words: str) -> Iterator[dict[str, Any]]:
        """Start a command that stays, such as `up` and `serve`; yield its JSON once it answers, and stop it."""
        with self._started(words) as process:
            yield _first_json(process, words[0], self._log(words))

    @contextlib.contextmanager
    def _started(self, words: Sequence[str]) -> Iterator["subprocess.Popen[str]"]:
        """Start a command whose errors go to its log; whatever happens, it is over at the end, as after Ctrl-C."""
        line = [sys.executable, "-m", "slipway", "--project", str(self.folder), *words, "--json"]
        with self._log(words).open("w", encoding="utf-8") as errors:
            process = subprocess.Popen(
                line, env=self.env, cwd=self.folder, stdout=subprocess.PIPE, stderr=errors, text=True
            )
        try:
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
            try:
                process.wait(_STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _log(self, words: Sequence[str]) -> Path:
        return self.folder / f"{words[0]}.log"


def _first_json(process: "subprocess.Popen[str]", name: str, log: Path) -> dict[str, Any]:
    text = ""
    for line in process.stdout or ():
        text += line
        if line == "}\n":
            found: dict[str, Any] = json.loads(text)
            return found
    raise CommandFailed(name, _one_line(text + log.read_text(encoding="utf-8")))


def _one_line(said: str, most: int = 400) -> str:
    """The error of a command in one line: from the last line that starts with its word on, else the last lines."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    starts = [i for i, line in enumerate(lines) if line.lower().startswith("error")]
    return " ".join(lines[starts[-1] if starts else -3 :])[:most] or "it said nothing"
