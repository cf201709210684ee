"""`slipway serve --from FOLDER`: one version out of a folder, for good, where no registry is."""

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

    capture: of `capturing`, what is kept of requests and answers; None to keep nothing.
    Raises FileUnusable when it is no such folder, UntrustedModel when a byte of the model is not what was registered, and what
    `start_service` raises.
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
    said = example.read_text() if example.is_file() else None
    return Endpoint([ServedVersion(name, seen.version, seen.stage, seen.run_id, said)], service)


def _keep_reading(keys: KeysFile, supervisor: Supervisor) -> None:
    while not supervisor.ended.wait(_KEYS_EACH_S):
        if keys.changed(supervisor.say):
            supervisor.use_keys(keys.hashes())
