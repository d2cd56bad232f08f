"""Webhooks and notices of the API on moto, with their queue and topic."""

from admin_api.operations.webhooks import WebhookAdministration
from lobby.aws.clients import client
from lobby.aws.notices import Notices
from lobby.aws.webhook_queue import WebhookQueue
from lobby.aws.webhook_secrets import WebhookSecrets

TOPIC = "arn:aws:sns:eu-west-1:123456789012:device-lobby-notices"
QUEUE = "https://sqs.eu-west-1.amazonaws.com/123456789012/device-lobby-webhooks"


def webhooks_on_moto() -> WebhookAdministration:
    """Return the administration. AWS is called at its first use."""
    return WebhookAdministration(
        WebhookQueue(lambda: client("sqs"), QUEUE), WebhookSecrets(lambda: client("ssm")), "123456789012/eu-west-1"
    )


def notices_on_moto() -> Notices:
    return Notices(lambda: client("sns"), TOPIC)
