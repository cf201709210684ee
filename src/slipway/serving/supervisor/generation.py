"""A version on its way to be served, served, or kept warm: its backs, and what the fronts have to know of it."""

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
    """A version that is to be served under a model's name. digest: of the bytes that were registered.

    role: what for, where it is not to answer alone.
    load: called in a back; raises a SlipwayError when the version must not be served. preload: modules that this needs.
    shelf: where its plan is kept. kept: what was found there, to answer from while the model loads.
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
    """A place for a process that holds the model: its socket stays while the processes come and go.

    ready: whether one has been ready once. up: whether the present one is. died: how often in a row one ended before it was.
    """

    path: Path
    listener: socket.socket
    child: ForkedProcess | None = None
    ready: bool = False
    up: bool = False
    died: int = 0


@dataclass(eq=False)
class SupervisedGeneration:
    """A generation as the supervisor keeps it. loaded: what its first back found; None while that loads.

    by_kept: whether it answers from a kept plan that has not been compared with the model in this service yet.

    retired_at: of `time.monotonic()`, from when it is kept no longer; None while it serves or loads.
    """

    wanted: WantedVersion
    number: int
    folder: Path
    backs: list[BackSlot] = field(default_factory=list)
    loaded: ModelLoaded | None = None
    retired_at: float | None = None
    by_kept: bool = False

    @property
    def compiled(self) -> bool | None:
        """Whether the fronts have a plan of it; None while nobody knows."""
        return None if self.loaded is None or self.by_kept else self.loaded.plan is not None

    def add_back(self) -> BackSlot:
        """Make a place for one more process."""
        path = self.folder / f"{self.number}.{len(self.backs)}"
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.bind(str(path))
        listener.listen(128)
        self.backs.append(BackSlot(path, listener))
        return self.backs[-1]

    def told(self) -> Generation:
        """What a front is told; of backs, those that have been ready once."""
        assert self.loaded is not None
        plan = PlanInTransit(self.loaded.plan) if self.loaded.plan else None
        backs = tuple(str(back.path) for back in self.backs if back.ready)
        wanted = self.wanted
        return Generation(
            wanted.model, wanted.version, wanted.digest, self.number, self.loaded.signature, plan,  # type: ignore[arg-type]
            self.loaded.why_not, backs, wanted.stage,
        )  # fmt: skip

    def close(self) -> None:
        """End its processes."""
        for back in self.backs:
            if back.child:
                back.child.kill()
            back.listener.close()
            back.path.unlink(missing_ok=True)
