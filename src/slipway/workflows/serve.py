"""`slipway serve`: an endpoint that follows the registry."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from slipway.core.variants import VariantRecord, VariantRole
from slipway.errors import NoServer, UnknownName
from slipway.registry.artifacts.local_cache import copy_folder, remember
from slipway.registry.watch import Followed
from slipway.serving.config import Capture, ServingConfig, VariantConfig
from slipway.serving.supervisor.generation import WantedVersion
from slipway.settings import Settings
from slipway.workflows.endpoint.endpoint import Endpoint, ServedVersion, own_log
from slipway.workflows.endpoint.follow import FollowedVariant, Following
from slipway.workflows.endpoint.service import keyed, start_service
from slipway.workflows.endpoint.variant_record import read_variants, write_variant
from slipway.workflows.notices.canary import variant_teller
from slipway.workflows.project import followed_version, trusted_types
from slipway.workflows.session import resolve_tracking_uri


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
    """Serve the followed versions and return when all of them answer; from then on the endpoint follows the registry.

    Args:
        settings: the tracking server, the home and the types that are trusted.
        followed: a stage or version of each model.
        host: the address to listen on.
        port: the port to listen on; 0 for any free one.
        config: workers, limits and variant; the defaults where None.
        keys_file: API keys, one a line, read again when the file changes.
        beside: the stage or version that the variant of `config` comes from; no version need be there, now or later.
        capture: the part of requests and answers that is kept, as `to_capture` makes it; None to keep nothing.
        log: the log file; by default one in the home.
        timeout_s: how long the first versions may take to answer.

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
    messages: list[str] = []
    wanted = _first(settings, following, messages)

    def served(version: WantedVersion) -> None:
        remember(settings.home, by_name[version.model], following.seen(version.model))

    label = "-".join(each.label for each in followed)[:100]
    service = start_service(
        wanted, host=host, port=port, config=config, served=served, capture=capture, timeout_s=timeout_s,
        log=lambda port: log or own_log(settings, f"serve-{label}", port),
        record=_recorder(settings, tuple(by_name)),
    )  # fmt: skip
    supervisor = service.supervisor
    if beside and config.variant_config:
        following.beside = FollowedVariant(beside, config.variant_config.role, supervisor.want_variant)
    for text in messages:
        supervisor.say(text)

    def read_keys() -> None:
        if keys and keys.changed(supervisor.say):
            supervisor.use_keys(keys.hashes())

    keep_on = partial(following.keep_on, supervisor.want, supervisor.say, read_keys)
    threading.Thread(target=keep_on, name="following", daemon=True).start()
    answers = [_served(settings, following, each) for each in wanted]
    return Endpoint(answers, replace(service, following=following), _variant_words(config.variant_config))


def _first(settings: Settings, following: Following, messages: list[str]) -> list[WantedVersion]:
    try:
        return following.first(messages.append)
    except (UnknownName, NoServer):
        for each in following.followed:
            followed_version(settings, each)  # MLflow's client, whose error names what there is instead
        raise


def _recorder(settings: Settings, models: Sequence[str]) -> Callable[[VariantRecord], None]:
    """Return what writes each record of a variant down, and tells that a canary was ended."""
    tell = variant_teller(settings)
    for model in models:  # an end that a service wrote down and was killed before it told of it
        for left in read_variants(settings.home, model):
            tell(left)

    def record(variant: VariantRecord) -> None:
        write_variant(settings.home, variant)
        tell(variant)

    return record


def _variant_words(variant_config: VariantConfig | None) -> str:
    if variant_config is None:
        return ""
    whom = "of the callers" if variant_config.role is VariantRole.CANARY else "of the requests, unheard"
    share = f"{100 * variant_config.share:g} %"
    return f"{variant_config.of} answers {share} {whom}, as soon as there is one; /ready says how it fares"


def _served(settings: Settings, following: Following, wanted: WantedVersion) -> ServedVersion:
    seen = following.seen(wanted.model)
    example = copy_folder(settings.home, wanted.model, wanted.version) / "serving_input_example.json"
    return ServedVersion(
        wanted.model, wanted.version, seen.stage, seen.run_id, example.read_text() if example.is_file() else None
    )
