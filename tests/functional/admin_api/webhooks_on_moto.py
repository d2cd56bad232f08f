"""Webhooks and notices of the API on moto, with their queue and topic."""

from collections.abc import Callable

from botocore.exceptions import ClientError

from admin_api.operations.webhooks import WebhookAdministration
from lobby.aws.clients import client
from lobby.aws.notices import Notices
from lobby.aws.webhook_queue import WebhookQueue
from lobby.aws.webhook_secrets import WebhookSecrets
from tests.aws import Calls

TOPIC = "arn:aws:sns:eu-west-1:123456789012:device-lobby-notices"
QUEUE = "https://sqs.eu-west-1.amazonaws.com/123456789012/device-lobby-webhooks"


def webhooks_on_moto() -> WebhookAdministration:
    """Return the administration. AWS is called at its first use."""
    return WebhookAdministration(
        WebhookQueue(lambda: client("sqs"), QUEUE), WebhookSecrets(lambda: client("ssm")), "123456789012/eu-west-1"
    )


def notices_on_moto() -> Notices:
    return Notices(lambda: client("sns"), TOPIC)


def repeat_second_write(calls: Calls) -> None:
    """Let the client repeat the second PutItem after its response was lost: the repetition conflicts with it."""
    writes = []

    def repeated(_params: object, call: Callable[[], object]) -> object:
        writes.append(call())
        if len(writes) < 2:
            return writes[0]
        raise ClientError({"Error": {"Code": "ConditionalCheckFailedException", "Message": ""}}, "PutItem")

    calls.instead["PutItem"] = repeated
