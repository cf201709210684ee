"""An endpoint that a command started, of either engine: its addresses, its words, and how long it stays."""

import json
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from slipway.logfiles import make_room
from slipway.settings import Settings
from slipway.types import Stage


class Engine(Protocol):
    """The server behind an endpoint. `wait` blocks while it answers, and raises ServiceFailed when it ends by itself."""

    @property
    def url(self) -> str: ...

    @property
    def log(self) -> Path: ...

    def wait(self) -> None: ...

    def stop(self) -> None: ...


@dataclass(frozen=True)
class ServedVersion:
    """A version that was served when the endpoint came up. example: a request body that the version accepts, as JSON."""

    name: str
    version: int
    stage: Stage
    run_id: str
    example: str | None

    def as_dict(self) -> dict[str, Any]:
        return {"name": self.name, "version": self.version, "stage": self.stage.value, "run_id": self.run_id}

    def __str__(self) -> str:
        return f"{self.name} version {self.version} ({self.stage.words})"


@dataclass(frozen=True)
class Endpoint:
    """An endpoint that answers until `stop`. beside: a sentence on the variant beside the primary; "" for none."""

    served: Sequence[ServedVersion]
    engine: Engine
    beside: str = ""

    @property
    def url(self) -> str:
        return self.engine.url

    @property
    def example(self) -> str | None:
        """A request body that the first model accepts, as JSON."""
        return self.served[0].example

    @property
    def curl(self) -> str:
        """A shell command that sends the first model's input example to the endpoint."""
        body = json.dumps(_without_nan(json.loads(self.example or "{}")))
        return f"curl -s {self._path(self.served[0])} -H 'Content-Type: application/json' -d {shlex.quote(body)}"

    def stay(self) -> None:
        """Serve until Ctrl-C, SIGTERM or SIGHUP, then stop. Raises ServiceFailed when the service ends by itself."""
        try:
            self.engine.wait()
        except KeyboardInterrupt:  # asked for, so it is no failure
            pass
        finally:
            self.stop()

    def stop(self) -> None:
        self.engine.stop()

    def as_dict(self) -> dict[str, Any]:
        models = [{**served.as_dict(), "invocations": self._path(served)} for served in self.served]
        return {**models[0], "url": self.url, "log": str(self.engine.log), "models": models}

    def __str__(self) -> str:
        answers = "\n".join(f"{served} answers at {self._path(served)}" for served in self.served)
        answers += f"\nbeside it {self.beside}" if self.beside else ""
        return f"{answers}\ntry it:  {self.curl}\nits log is {self.engine.log}; Ctrl-C stops it."

    def _path(self, served: ServedVersion) -> str:
        return f"{self.url}/invocations" if len(self.served) == 1 else f"{self.url}/models/{served.name}/invocations"


def own_log(settings: Settings, name: str, port: int) -> Path:
    """Return the default log of a service that listens on a port, which keeps the logs of two services apart."""
    log = settings.home / "logs" / f"{name}-{port}.log"
    make_room(log)
    return log


def _without_nan(value: Any) -> Any:
    """Return the JSON value with null for NaN, which Python writes and other readers refuse."""
    if isinstance(value, dict):
        return {key: _without_nan(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_without_nan(inner) for inner in value]
    return None if isinstance(value, float) and value != value else value
