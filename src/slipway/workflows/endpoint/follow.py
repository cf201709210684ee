"""The step of a service with the registry, which is asked each second, and at once after a transition on this machine."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from slipway.errors import NoServer, SlipwayError, UnknownName
from slipway.registry.artifacts.local_cache import copy_folder, moved_at, remembered
from slipway.registry.watch import Followed, Looks, Seen, Watch
from slipway.serving.supervisor.generation import WantedVersion
from slipway.workflows.endpoint.load import PRELOAD, Order

_EACH_S = 1.0
_MOVES_EACH_S = 0.05


@dataclass
class FollowedVariant:
    """The stage or version that the variant comes from.

    Attributes:
        followed: the stage or version.
        role: shadow or canary.
        want: takes the version, or None for no variant, and whether to try again after a failure.
        seen: the version that the registry last named; None for none, and for the version that is the primary already.
    """

    followed: Followed
    role: str
    want: Callable[[WantedVersion | None, bool], None]
    seen: Seen | None = None


@dataclass
class Following:
    """The stages and versions that a service follows in one registry.

    Attributes:
        home: the home with the copies of the versions.
        tracking: returns the address of the registry; raises NoServer while none is known.
        auth: user and password, or a token alone; None for neither.
        followed: a stage or version of each model.
        trusted: by the name of a model, the types that it may hold beside Slipway's own.
        beside: the variant of the one model; None for no variant.
    """

    home: Path
    tracking: Callable[[], str]
    auth: tuple[str, str] | str | None
    followed: tuple[Followed, ...]
    trusted: Mapping[str, tuple[str, ...]]
    beside: FollowedVariant | None = None
    _seen: dict[str, Seen] = field(default_factory=dict)
    _watch: Looks | None = None
    _away: bool = False
    _stopped: threading.Event = field(default_factory=threading.Event)

    def seen(self, name: str) -> Seen:
        """Return the version that the registry last named for a model."""
        return self._seen[name]

    def first(self, say: Callable[[str], None]) -> list[WantedVersion]:
        """Return the versions to serve first: those that the registry names, or those served last while it does not answer.

        Raises UnknownName when there is no such version, NoServer when the registry is away and nothing was served before.
        """
        wanted = []
        for followed in self.followed:
            try:
                seen = self._look_up(followed)
            except NoServer as error:
                seen_last = remembered(self.home, followed)
                if seen_last is None:
                    raise
                say(f"{error}; {followed.name} version {seen_last.version}, which was served last, is served")
                self._away, seen = True, seen_last
            self._seen[followed.name] = seen
            wanted.append(self._with_cached_plan(self._wanted(followed, seen), say))
        return wanted

    def keep_on(
        self, want: Callable[[WantedVersion, bool], None], say: Callable[[str], None], each: Callable[[], None]
    ) -> None:
        """Hand over the version to serve whenever it changes, until `stop`.

        Args:
            want: takes the version, and whether to try again after a failure.
            say: takes a line for the log.
            each: called once a second.
        """
        moved_before = {followed.name: moved_at(self.home, followed.name) for followed in self.followed}
        look_at = 0.0
        while not self._stopped.wait(_MOVES_EACH_S):
            moved = {followed.name: moved_at(self.home, followed.name) for followed in self.followed}
            if moved == moved_before and time.monotonic() < look_at:
                continue
            for followed in self.followed:
                self._look(followed, moved[followed.name] != moved_before[followed.name], want, say)
            if self.beside:
                self._look_beside(self.beside, moved != moved_before)
            moved_before, look_at = moved, time.monotonic() + _EACH_S
            each()

    def stop(self) -> None:
        self._stopped.set()

    def _look(
        self, followed: Followed, moved: bool, want: Callable[[WantedVersion, bool], None], say: Callable[[str], None]
    ) -> None:
        try:
            seen = self._look_up(followed)
        except UnknownName:  # nothing holds the stage any more: the version that serves goes on
            return
        except Exception as error:  # whatever a registry answers, this thread has to go on looking  # noqa: BLE001
            if not self._away:
                reason = (
                    error
                    if isinstance(error, SlipwayError)
                    else f"the registry was not understood ({type(error).__name__})"
                )
                say(f"{reason}; what is served goes on")
            self._away = True
            return
        if self._away:
            say("the tracking server answers again")
            self._away = False
        if moved or seen != self._seen.get(followed.name):
            want(self._wanted(followed, seen), True)
        self._seen[followed.name] = seen

    def _look_beside(self, beside: FollowedVariant, moved: bool) -> None:
        try:
            seen: Seen | None = self._look_up(beside.followed)
        except UnknownName:
            seen = None
        except Exception:  # `_look` has logged it for the primary; the variant goes on  # noqa: BLE001
            return
        if seen and seen.version == self._seen[beside.followed.name].version:
            seen = None
        if moved or seen != beside.seen:
            wanted = self._wanted(beside.followed, seen) if seen else None
            beside.want(wanted and replace(wanted, role=beside.role), True)
        beside.seen = seen

    def _look_up(self, followed: Followed) -> Seen:
        uri = self.tracking()
        if self._watch is None or self._watch.uri != uri:
            self._watch = _watch_of(uri, self.auth)
        return self._watch.look(followed)

    def _wanted(self, followed: Followed, seen: Seen) -> WantedVersion:
        order = Order(
            followed.name,
            seen.version,
            seen.digest,
            copy_folder(self.home, followed.name, seen.version),
            self._watch.uri if self._watch else "",
            tuple(self.trusted.get(followed.name, ())),
        )
        return WantedVersion(
            followed.name, seen.version, seen.digest or "", seen.stage, order, PRELOAD, plan_cache=order.plan_cache
        )

    def _with_cached_plan(self, wanted: WantedVersion, say: Callable[[str], None]) -> WantedVersion:
        """Add the plan from the plan cache, if the copy of the version is there with the right bytes."""
        if wanted.plan_cache is None or not (isinstance(wanted.load, Order) and wanted.load.has_copy):
            return wanted
        plan, why_not = wanted.plan_cache.find()
        if why_not:
            say(f"the plan of {wanted} in the plan cache is not used: {why_not}")
        return replace(wanted, kept=plan)


def _watch_of(uri: str, auth: tuple[str, str] | str | None) -> Looks:
    """Return a watch of a registry: plain HTTP for a server, MLflow's client for a database or a folder."""
    return Watch(uri, auth) if uri.startswith(("http://", "https://")) else _ClientWatch(uri)


class _ClientWatch:
    """A watch of a registry that only MLflow's client reaches, such as sqlite:///mlflow.db."""

    def __init__(self, uri: str):
        self.uri = uri

    def look(self, followed: Followed) -> Seen:
        from slipway.registry.trust import DIGEST
        from slipway.registry.versions import get_version, version_in
        from slipway.tracking.client import connect

        client = connect(self.uri)
        name, number = followed.name, followed.version
        version = get_version(client, name, number) if number else version_in(client, name, followed.stage)
        return Seen(version.number, version.stage, version.tags.get(DIGEST), version.run_id)
