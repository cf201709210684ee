"""What all test processes of a session share: the first that asks makes it, and it ends when the last of them has ended."""

import fcntl
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from slipway.processes import Process, child_environment, start_process

# Waits for the lock that every test process holds for as long as it lives, and then stops what they shared. The kernel gives
# the lock back however a process ends, so that nothing is left behind by `kill -9` either.
_KEEPER = """
import fcntl, json, sys
from slipway.processes import Process, stop_process
with open(sys.argv[1]) as everybody:
    fcntl.flock(everybody, fcntl.LOCK_EX)
stop_process(Process(**json.loads(sys.argv[2])))
"""


class Sharing:
    """A folder that all test processes of a session see. Make one in a process, and close it when its tests have ended."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._everybody = (folder / "everybody.lock").open("ab")
        fcntl.flock(self._everybody, fcntl.LOCK_SH)

    def close(self) -> None:
        """Need nothing of it any more."""
        self._everybody.close()

    @contextmanager
    def lock(self, name: str) -> Iterator[None]:
        """Let one test process at a time into the block."""
        with (self.folder / f"{name}.lock").open("ab") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            yield

    def once(self, name: str, make: Callable[[], Any]) -> Any:
        """Return what `make` gave to the first test process that asked, as JSON tells it."""
        ready = self.folder / f"{name}.json"
        with self.lock(name):
            if not ready.exists():
                draft = self.folder / f"{name}.draft"
                draft.write_text(json.dumps(make()))
                draft.rename(ready)
            return json.loads(ready.read_text())

    def keep(self, process: Process) -> None:
        """Stop a process, which must not be tied to this one, when the last test process has ended."""
        command = [sys.executable, "-c", _KEEPER, self._everybody.name, json.dumps(asdict(process))]
        start_process(command, log=self.folder / "keepers" / str(process.pid), env=child_environment({}), tied=False)


@dataclass(frozen=True)
class SharedServer:
    """A tracking server that all test processes of a session ask: its home, and its address."""

    home: Path
    uri: str
