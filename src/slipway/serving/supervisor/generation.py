"""A generation as the supervisor sees it: a version that loads, serves or is kept warm, with its backs."""

import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from slipway.serving.back.loaded_model import LoadedModel
from slipway.serving.contract import Generation
from slipway.serving.ipc.messages import ModelLoaded
from slipway.serving.ipc.plan_transfer import PlanInTransit
from slipway.serving.supervisor.child import ForkedProcess
from slipway.serving.supervisor.plan_cache import PlanCache


@dataclass(frozen=True)
class WantedVersion:
    """A version that is to be served under a model's name.

    Attributes:
        model: Name of the registered model.
        version: Number of the version.
        digest: Digest of the bytes that were registered.
        stage: Stage that the version is in.
        load: Called in a back; raises a SlipwayError when the version must not be served.
        preload: Modules that `load` needs.
        role: Role of a variant, for the log; "" for the primary.
        plan_cache: Where the plan of the version is cached; None to cache none.
        kept: Content of the plan cache, to answer from while the model loads.
    """

    model: str
    version: int
    digest: str
    stage: str
    load: Callable[[], LoadedModel]
    preload: Sequence[str] = ()
    role: str = ""
    plan_cache: PlanCache | None = None
    kept: ModelLoaded | None = None

    @property
    def key(self) -> tuple[str, int, str]:
        return self.model, self.version, self.digest

    def __str__(self) -> str:
        return f"{self.model} version {self.version}{self.role and f' ({self.role})'}"


@dataclass(eq=False)
class BackSlot:
    """A place for a back: its socket stays while the processes come and go.

    Attributes:
        path: Path of the Unix socket.
        listener: The socket, listening.
        child: The present process; None while there is none.
        ready: Whether a process of this place has been ready once.
        up: Whether the present process is ready.
        died: How many processes in a row ended before they were ready.
    """

    path: Path
    listener: socket.socket
    child: ForkedProcess | None = None
    ready: bool = False
    up: bool = False
    died: int = 0


@dataclass(eq=False)
class SupervisedGeneration:
    """A generation with its backs.

    Attributes:
        wanted: The version.
        number: Number of the generation, counted by the supervisor.
        folder: Folder of the Unix sockets.
        backs: The places of its backs.
        loaded: Report of its first back; None while that one loads.
        retired_at: When it is dropped, by `time.monotonic()`; None while it serves or loads.
        by_cached_plan: Whether it answers from a cached plan that was not compared with the model yet.
    """

    wanted: WantedVersion
    number: int
    folder: Path
    backs: list[BackSlot] = field(default_factory=list)
    loaded: ModelLoaded | None = None
    retired_at: float | None = None
    by_cached_plan: bool = False

    @property
    def compiled(self) -> bool | None:
        """Whether the fronts have a plan of the generation; None until its first back has compiled and compared one."""
        return None if self.loaded is None or self.by_cached_plan else self.loaded.plan is not None

    def add_back(self) -> BackSlot:
        """Make a place for one more back."""
        path = self.folder / f"{self.number}.{len(self.backs)}"
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.bind(str(path))
        listener.listen(128)
        self.backs.append(BackSlot(path, listener))
        return self.backs[-1]

    def snapshot(self) -> Generation:
        """Return the generation for the fronts, with those backs that have been ready once."""
        assert self.loaded is not None
        plan = PlanInTransit(self.loaded.plan) if self.loaded.plan else None
        backs = tuple(str(back.path) for back in self.backs if back.ready)
        wanted = self.wanted
        return Generation(
            wanted.model, wanted.version, wanted.digest, self.number, self.loaded.signature, plan,  # type: ignore[arg-type]
            self.loaded.why_not, backs, wanted.stage,
        )  # fmt: skip

    def close(self) -> None:
        """Kill the backs and remove their sockets."""
        for back in self.backs:
            if back.child:
                back.child.kill()
            back.listener.close()
            back.path.unlink(missing_ok=True)
