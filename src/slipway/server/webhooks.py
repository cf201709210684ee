"""A client that sends MLflow's webhooks of aliases, as MLflow's handlers do and its client inside the server does not."""

from mlflow.entities.webhook import WebhookAction, WebhookEntity, WebhookEvent
from mlflow.webhooks.delivery import deliver_webhook
from mlflow.webhooks.types import ModelVersionAliasCreatedPayload, ModelVersionAliasDeletedPayload

from slipway.registry.sealing import SealingClient
from slipway.server._mlflow import registry_store


class TellingClient(SealingClient):
    """A SealingClient that sends MLflow's webhooks whenever it sets or deletes an alias."""

    def set_registered_model_alias(self, name: str, alias: str, version: str) -> None:
        super().set_registered_model_alias(name, alias, version)
        payload = ModelVersionAliasCreatedPayload(name=name, alias=alias, version=str(version))
        _send(WebhookAction.CREATED, payload)

    def delete_registered_model_alias(self, name: str, alias: str) -> None:
        super().delete_registered_model_alias(name, alias)
        _send(WebhookAction.DELETED, ModelVersionAliasDeletedPayload(name=name, alias=alias))


def _send(action: WebhookAction, payload: ModelVersionAliasCreatedPayload | ModelVersionAliasDeletedPayload) -> None:
    event = WebhookEvent(WebhookEntity.MODEL_VERSION_ALIAS, action)
    deliver_webhook(event=event, payload=payload, store=registry_store())
