"""MLflow's webhooks of aliases, which its handlers send and a client inside the server would not."""

from mlflow import MlflowClient
from mlflow.entities.webhook import WebhookAction, WebhookEntity, WebhookEvent
from mlflow.webhooks.delivery import deliver_webhook
from mlflow.webhooks.types import ModelVersionAliasCreatedPayload, ModelVersionAliasDeletedPayload

from slipway.server._mlflow import registry_store


class TellingClient(MlflowClient):  # type: ignore[misc]
    """A client whose moves of aliases are told to the webhooks, as they are when MLflow's own API makes them."""

    def set_registered_model_alias(self, name: str, alias: str, version: str) -> None:
        super().set_registered_model_alias(name, alias, version)
        payload = ModelVersionAliasCreatedPayload(name=name, alias=alias, version=str(version))
        _tell(WebhookAction.CREATED, payload)

    def delete_registered_model_alias(self, name: str, alias: str) -> None:
        super().delete_registered_model_alias(name, alias)
        _tell(WebhookAction.DELETED, ModelVersionAliasDeletedPayload(name=name, alias=alias))


def _tell(action: WebhookAction, payload: ModelVersionAliasCreatedPayload | ModelVersionAliasDeletedPayload) -> None:
    event = WebhookEvent(WebhookEntity.MODEL_VERSION_ALIAS, action)
    deliver_webhook(event=event, payload=payload, store=registry_store())
