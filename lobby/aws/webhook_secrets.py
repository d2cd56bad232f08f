"""The signing secrets of webhooks: SecureString parameters in the Parameter Store of Systems Manager.

A parameter is free of charge, and is encrypted by AWS's key for the store, which only Systems Manager can use on behalf
of principals of the account (AWS Systems Manager user guide, "AWS Systems Manager Parameter Store"). Each secret is a
separate parameter, `<prefix>/<webhook>/<number>`. The API writes and deletes secrets and never reads one. In a lobby
with several Regions it does so in each, because another Region may become home. A Region that does not answer is
skipped: requests from there fail with NO_SECRET until the next rotation.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Final

from aws_lambda_powertools import Logger
from botocore.exceptions import BotoCoreError, ClientError

from lobby.deployment import NAMES
from lobby.domain.events.webhook import WebhookId

if TYPE_CHECKING:
    from types_boto3_ssm import SSMClient

PREFIX: Final = f"/{NAMES.prefix}/webhooks"
_DESCRIPTION: Final = "Device Lobby: signing secret of a webhook"
logger = Logger(service="webhooks")


class WebhookSecrets:
    """`ssm` returns the client, and `elsewhere` those of the lobby's other Regions."""

    def __init__(self, ssm: Callable[[], "SSMClient"], elsewhere: Sequence[Callable[[], "SSMClient"]] = ()) -> None:
        self._ssm, self._elsewhere = ssm, elsewhere
        self._read: dict[str, str] = {}

    def put(self, webhook: WebhookId, number: int, secret: str) -> None:
        """Store a secret, first in the own Region. Raise `ClientError` or `BotoCoreError` if that fails."""

        def store(ssm: "SSMClient") -> None:
            ssm.put_parameter(
                Name=_name(webhook, number), Description=_DESCRIPTION, Type="SecureString", Value=secret, Overwrite=True
            )

        self._in_each_region(store)

    def get(self, webhook: WebhookId, number: int) -> str | None:
        """Return a secret, or None if there is none. Each one is read once per process, because a numbered secret never
        changes."""
        name = _name(webhook, number)
        if name not in self._read:
            try:
                found = self._ssm().get_parameter(Name=name, WithDecryption=True)
            except ClientError as error:
                if error.response["Error"]["Code"] == "ParameterNotFound":
                    return None
                raise
            self._read[name] = found["Parameter"]["Value"]
        return self._read[name]

    def delete(self, webhook: WebhookId, numbers: Iterable[int]) -> None:
        """Delete secrets; repeating it changes nothing. Raise as `put`."""
        known = list(numbers)

        def delete(ssm: "SSMClient") -> None:
            for number in known:
                try:
                    ssm.delete_parameter(Name=_name(webhook, number))
                except ClientError as error:
                    if error.response["Error"]["Code"] != "ParameterNotFound":
                        raise

        self._in_each_region(delete)

    def _in_each_region(self, change: Callable[["SSMClient"], None]) -> None:
        change(self._ssm())
        for ssm in self._elsewhere:
            try:
                change(ssm())
            except (ClientError, BotoCoreError):
                logger.warning("secret not changed in another Region", exc_info=True)


def _name(webhook: WebhookId, number: int) -> str:
    return f"{PREFIX}/{webhook}/{number}"
