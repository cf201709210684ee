"""The state of a front."""

from dataclasses import dataclass, field

from slipway.serving.front.api_keys import KeyRing
from slipway.serving.front.capture import CaptureClient
from slipway.serving.inference.models import ServedModel, ServedModels
from slipway.serving.ipc.messages import TakeoverFailure, VariantReport


@dataclass
class FrontState:
    """The models that a front serves, the versions that did not take over, and the callers' keys.

    A FrontState changes only between two requests.

    Attributes:
        models: The models that answer.
        keys: The API keys that are valid now.
        failures: The last failure of each model, by its name, until a later version of that model takes over.
        variant: The shadow or canary of the one model; None for none.
        about_variant: The supervisor's last report about the variant.
        capture_client: Takes answered requests and labels; None where nothing is captured.
    """

    models: ServedModels
    keys: KeyRing
    failures: dict[str, TakeoverFailure] = field(default_factory=dict)
    variant: ServedModel | None = None
    about_variant: VariantReport | None = None
    capture_client: CaptureClient | None = None
