"""`slipway serve`: versions behind a REST endpoint that follows the registry and never lets go of a connection over it."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from slipway.core.arms import ArmRecord, Role
from slipway.errors import NoServer, UnknownName
from slipway.processes import child_environment, local_url
from slipway.registry.artifacts.local_cache import copy_folder, remember
from slipway.registry.watch import Followed
from slipway.serving.config import Arm, Capture, ServingConfig
from slipway.serving.http.sockets import listen
from slipway.serving.supervisor.api_keys_file import KeysFile, hashed
from slipway.serving.supervisor.generation import Wanted
from slipway.serving.supervisor.supervisor import Supervisor
from slipway.settings import Settings
from slipway.workflows.arms import write_arm
from slipway.workflows.endpoint import Endpoint, Served, own_log
from slipway.workflows.following import Following, SecondFollowed
from slipway.workflows.platform import resolve_tracking_uri
from slipway.workflows.trusted import followed_version, trusted_types

# One native thread a process: processes use more cores as well, and threads on shared cores wait for each other.
_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"}


@dataclass(frozen=True)
class Service:
    """A supervisor that answers at `url`, and what keeps it in step, if anything does."""

    url: str
    log: Path
    supervisor: Supervisor
    following: Following | None = None

    def wait(self) -> None:
        self.supervisor.wait()

    def stop(self) -> None:
        if self.following:
            self.following.stop()
        self.supervisor.stop()


def serve(
    settings: Settings,
    followed: Sequence[Followed],
    *,
    host: str = "127.0.0.1",
    port: int = 5001,
    config: ServingConfig | None = None,
    keys_file: Path | None = None,
    beside: Followed | None = None,
    capture: Capture | None = None,
    log: Path | None = None,
    timeout_s: float = 120.0,
) -> Endpoint:
    """Serve what is followed and return when all of it answers; from then on it follows the registry.

    port: this very one, or any free one for 0. keys_file: API keys, one a line, read again when it changes.
    beside: where the second version of `config.arm` comes from; there may be none in it, now or later.
    capture: of `capturing`, what is kept of requests and answers; None to keep nothing. log: in the home by default.
    Raises UnknownName when there is no such version, UntrustedModel, NoServer when the registry is away and nothing was served
    before, ServiceFailed, UsageError.
    """
    config, keys = keyed(settings, config, keys_file)
    by_name = {each.name: each for each in followed}
    trusted = {
        name: trusted_types(settings, name, partial(followed_version, settings, each)) for name, each in by_name.items()
    }
    following = Following(
        settings.home, partial(resolve_tracking_uri, settings), settings.tracking_auth, tuple(followed), trusted
    )
    said: list[str] = []
    wanted = _first(settings, following, said)

    def served(version: Wanted) -> None:
        remember(settings.home, by_name[version.model], following.seen(version.model))

    label = "-".join(each.label for each in followed)[:100]
    service = start_service(
        wanted, host=host, port=port, config=config, served=served, capture=capture, timeout_s=timeout_s,
        log=lambda port: log or own_log(settings, f"serve-{label}", port),
        record=partial(write_arm, settings.home),
    )  # fmt: skip
    supervisor = service.supervisor
    if beside and config.arm:
        following.beside = SecondFollowed(beside, config.arm.role, supervisor.want_second)
    for text in said:
        supervisor.say(text)

    def read_keys() -> None:
        if keys and keys.changed(supervisor.say):
            supervisor.use_keys(keys.hashes())

    keep_on = partial(following.keep_on, supervisor.want, supervisor.say, read_keys)
    threading.Thread(target=keep_on, name="following", daemon=True).start()
    answers = [_served(settings, following, each) for each in wanted]
    return Endpoint(answers, replace(service, following=following), _said_of(config.arm))


def keyed(settings: Settings, config: ServingConfig | None, file: Path | None) -> tuple[ServingConfig, KeysFile | None]:
    """Return the configuration with the API keys of the file, or of the settings, and what reads the file again."""
    keys = KeysFile(file) if file else None
    return replace(config or ServingConfig(), keys=keys.hashes() if keys else hashed(settings.api_keys)), keys


def start_service(
    wanted: Sequence[Wanted],
    *,
    host: str,
    port: int,
    config: ServingConfig,
    log: Callable[[int], Path],
    served: Callable[[Wanted], None] = lambda _: None,
    record: Callable[[ArmRecord], None] = lambda _: None,
    capture: Capture | None = None,
    timeout_s: float = 120.0,
) -> Service:
    """Serve versions, each under its model's name, and return when all answer. served: called with each that takes over.

    log: where to write, by the port.
    record: takes what was seen of a second version.
    capture: what is kept of requests and answers; None to keep nothing.

    Raises UntrustedModel, ServiceFailed, UsageError.
    """
    listener = listen(host, port)
    chosen = listener.getsockname()[1]
    url = local_url(host, chosen)
    env = child_environment(_ONE_THREAD, without=("SLIPWAY_API_KEYS",))
    names = [each.model for each in wanted]
    supervisor = Supervisor(config, names, listener, env, log(chosen), served, record=record, capture=capture)
    supervisor.start()
    try:
        for each in wanted:
            supervisor.want(each)
        supervisor.wait_until_ready(timeout_s)
    except BaseException:  # Ctrl-C included: nothing half-started stays
        supervisor.stop()
        raise
    return Service(url, supervisor.log, supervisor)


def _first(settings: Settings, following: Following, said: list[str]) -> list[Wanted]:
    try:
        return following.first(said.append)
    except (UnknownName, NoServer):
        for each in following.followed:
            followed_version(settings, each)  # with MLflow's client: it can say what there is instead
        raise


def _said_of(arm: Arm | None) -> str:
    if arm is None:
        return ""
    whom = "of the callers" if arm.role is Role.CANARY else "of the requests, unheard"
    return f"{arm.of} answers {100 * arm.share:g} % {whom}, as soon as there is one; /ready says how it fares"


def _served(settings: Settings, following: Following, wanted: Wanted) -> Served:
    seen = following.seen(wanted.model)
    example = copy_folder(settings.home, wanted.model, wanted.version) / "serving_input_example.json"
    return Served(
        wanted.model, wanted.version, seen.stage, seen.run_id, example.read_text() if example.is_file() else None
    )
