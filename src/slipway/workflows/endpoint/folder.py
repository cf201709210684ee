"""`slipway serve --from FOLDER`: one version out of a folder, where there is no registry to follow."""

import threading
from pathlib import Path

from slipway.registry.artifacts.folder import MODEL, read_folder
from slipway.serving.config import Capture, ServingConfig
from slipway.serving.supervisor.api_keys_file import KeysFile
from slipway.serving.supervisor.generation import WantedVersion
from slipway.serving.supervisor.supervisor import Supervisor
from slipway.settings import Settings
from slipway.workflows.endpoint.endpoint import Endpoint, ServedVersion, own_log
from slipway.workflows.endpoint.load import PRELOAD, Order
from slipway.workflows.endpoint.service import keyed, start_service
from slipway.workflows.project import trusted_types

_KEYS_EACH_S = 1.0


def serve_folder(
    settings: Settings,
    folder: Path,
    *,
    host: str = "127.0.0.1",
    port: int = 5001,
    config: ServingConfig | None = None,
    keys_file: Path | None = None,
    log: Path | None = None,
    capture: Capture | None = None,
    timeout_s: float = 120.0,
) -> Endpoint:
    """Serve the version that `slipway image` put into a folder, and return when it answers. No registry is asked.

    Args:
        settings: the home and the types that are trusted.
        folder: the folder of the version.
        host: the address to listen on.
        port: the port to listen on; 0 for any free one.
        config: workers and limits; the defaults where None.
        keys_file: API keys, one a line, read again when the file changes.
        log: the log file; by default one in the home.
        capture: the part of requests and answers that is kept, as `to_capture` makes it; None to keep nothing.
        timeout_s: how long the version may take to answer.

    Raises FileUnusable for any other folder, UntrustedModel when a byte of the model differs from what was registered, and the
    errors of `start_service`.
    """
    name, seen = read_folder(folder)
    files = folder.resolve() / MODEL
    order = Order(name, seen.version, seen.digest, files, "", trusted_types(settings, name))
    wanted = WantedVersion(name, seen.version, seen.digest or "", seen.stage, order, PRELOAD)
    config, keys = keyed(settings, config, keys_file)
    service = start_service(
        [wanted], host=host, port=port, config=config, capture=capture, timeout_s=timeout_s,
        log=lambda port: log or own_log(settings, f"serve-{name}-{seen.version}", port),
    )  # fmt: skip
    if keys:
        threading.Thread(target=_keep_reading, args=[keys, service.supervisor], name="keys", daemon=True).start()
    example = files / "serving_input_example.json"
    body = example.read_text() if example.is_file() else None
    return Endpoint([ServedVersion(name, seen.version, seen.stage, seen.run_id, body)], service)


def _keep_reading(keys: KeysFile, supervisor: Supervisor) -> None:
    while not supervisor.ended.wait(_KEYS_EACH_S):
        if keys.changed(supervisor.say):
            supervisor.use_keys(keys.hashes())
