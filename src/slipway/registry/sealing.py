"""A client that says when a ledger entry is sealed: the seal is written last, whichever action the entry is on."""

from collections.abc import Callable
from typing import Any

from mlflow import MlflowClient

from slipway.registry.ledger import SEAL


class SealingClient(MlflowClient):  # type: ignore[misc]
    """An MlflowClient that calls `sealed` after each seal. `sealed` returns at once and does not raise."""

    def __init__(self, tracking_uri: str, registry_uri: str, sealed: Callable[[], None]) -> None:
        super().__init__(tracking_uri, registry_uri)
        self._sealed = sealed

    def set_tag(self, run_id: str, key: str, *more: Any, **named: Any) -> Any:
        answer = super().set_tag(run_id, key, *more, **named)
        if key == SEAL:
            self._sealed()
        return answer
