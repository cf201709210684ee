"""What keeps a service in step with the registry: it looks each second, and at once when a movement is told on this machine."""

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
_TOLD_EACH_S = 0.05


@dataclass
class FollowedVariant:
    """Where a second version comes from. want: takes it, or None when there is none to be, and whether to try it again.

    seen: what the registry last said; None for no version, or for the one that answers already.
    """

    followed: Followed
    role: str
    want: Callable[[WantedVersion | None, bool], None]
    seen: Seen | None = None


@dataclass
class Following:
    """What is followed in one registry.

    tracking: where that is; raises NoServer while nobody knows. auth: see Watch. trusted: types that a model may hold beside
    Slipway's own, by its name. beside: of the one model, where its second version comes from; None for no second one.
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
        """Return what the registry last said of a model."""
        return self._seen[name]

    def first(self, say: Callable[[str], None]) -> list[WantedVersion]:
        """Return what to serve from the start: what the registry says, or, while it is away, what was served last.

        Raises UnknownName when there is no such version, NoServer when nobody knows.
        """
        found = []
        for followed in self.followed:
            try:
                seen = self._asked(followed)
            except NoServer as error:
                seen_last = remembered(self.home, followed)
                if seen_last is None:
                    raise
                say(f"{error}; {followed.name} version {seen_last.version}, which was served last, is served")
                self._away, seen = True, seen_last
            self._seen[followed.name] = seen
            found.append(self._with_kept(self._wanted(followed, seen), say))
        return found

    def keep_on(
        self, want: Callable[[WantedVersion, bool], None], say: Callable[[str], None], each: Callable[[], None]
    ) -> None:
        """Hand over what is to be served whenever that changes, until `stop`. each: called once a second as well.

        want: takes the version, and whether to try again what failed before.
        """
        told = {followed.name: moved_at(self.home, followed.name) for followed in self.followed}
        look_at = 0.0
        while not self._stopped.wait(_TOLD_EACH_S):
            moved = {followed.name: moved_at(self.home, followed.name) for followed in self.followed}
            if moved == told and time.monotonic() < look_at:
                continue
            for followed in self.followed:
                self._look(followed, moved[followed.name] != told[followed.name], want, say)
            if self.beside:
                self._look_beside(self.beside, moved != told)
            told, look_at = moved, time.monotonic() + _EACH_S
            each()

    def stop(self) -> None:
        self._stopped.set()

    def _look(
        self, followed: Followed, told: bool, want: Callable[[WantedVersion, bool], None], say: Callable[[str], None]
    ) -> None:
        try:
            seen = self._asked(followed)
        except UnknownName:  # nothing holds the stage any more: what serves goes on
            return
        except Exception as error:  # whatever a registry answers, this thread has to go on looking  # noqa: BLE001
            if not self._away:
                said = (
                    error
                    if isinstance(error, SlipwayError)
                    else f"the registry was not understood ({type(error).__name__})"
                )
                say(f"{said}; what is served goes on")
            self._away = True
            return
        if self._away:
            say("the tracking server answers again")
            self._away = False
        if told or seen != self._seen.get(followed.name):
            want(self._wanted(followed, seen), True)
        self._seen[followed.name] = seen

    def _look_beside(self, beside: FollowedVariant, told: bool) -> None:
        try:
            seen: Seen | None = self._asked(beside.followed)
        except UnknownName:
            seen = None
        except Exception:  # said of the first version already; what is there goes on  # noqa: BLE001
            return
        if seen and seen.version == self._seen[beside.followed.name].version:
            seen = None
        if told or seen != beside.seen:
            wanted = self._wanted(beside.followed, seen) if seen else None
            beside.want(wanted and replace(wanted, role=beside.role), True)
        beside.seen = seen

    def _asked(self, followed: Followed) -> Seen:
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

    def _with_kept(self, wanted: WantedVersion, say: Callable[[str], None]) -> WantedVersion:
        """Add the plan that was kept, where the copy of its model is there and right."""
        if wanted.plan_cache is None or not (isinstance(wanted.load, Order) and wanted.load.has_copy):
            return wanted
        kept, why_not = wanted.plan_cache.find()
        if why_not:
            say(f"the plan that was kept of {wanted} is not used: {why_not}")
        return replace(wanted, kept=kept)


def _watch_of(uri: str, auth: tuple[str, str] | str | None) -> Looks:
    """Return what asks a registry: cheaply over HTTP, or with MLflow's client where it is a database or a folder."""
    return Watch(uri, auth) if uri.startswith(("http://", "https://")) else _ClientWatch(uri)


class _ClientWatch:
    """A registry that only MLflow's client reaches, such as sqlite:///mlflow.db."""

    def __init__(self, uri: str):
        self.uri = uri

    def look(self, followed: Followed) -> Seen:
        from slipway.registry.trust import DIGEST
        from slipway.registry.versions import get_version, version_in
        from slipway.tracking.client import connect

        client = connect(self.uri)
        name, number = followed.name, followed.version
        found = get_version(client, name, number) if number else version_in(client, name, followed.stage)
        return Seen(found.number, found.stage, found.tags.get(DIGEST), found.run_id)
