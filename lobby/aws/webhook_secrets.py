"""The signing secrets of webhooks: SecureString parameters in the Parameter Store of Systems Manager.

A parameter is free of charge, and is encrypted by AWS's key for the store, which only Systems Manager can use on behalf
of principals of the account (AWS Systems Manager user guide, "AWS Systems Manager Parameter Store"). Each secret is a
separate parameter, `<prefix>/<webhook>/<number>`. The API writes and deletes secrets and never reads one.
"""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError

from lobby.deployment import NAMES
from lobby.domain.webhook import WebhookId

if TYPE_CHECKING:
    from types_boto3_ssm import SSMClient

PREFIX: Final = f"/{NAMES.prefix}/webhooks"
_DESCRIPTION: Final = "Device Lobby: signing secret of a webhook"


class WebhookSecrets:
    """`ssm` returns the client."""

    def __init__(self, ssm: Callable[[], "SSMClient"]) -> None:
        self._ssm = ssm
        self._read: dict[str, str] = {}

    def put(self, webhook: WebhookId, number: int, secret: str) -> None:
        self._ssm().put_parameter(
            Name=_name(webhook, number), Description=_DESCRIPTION, Type="SecureString", Value=secret, Overwrite=True
        )

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
        """Delete secrets; repeating it changes nothing."""
        for number in numbers:
            try:
                self._ssm().delete_parameter(Name=_name(webhook, number))
            except ClientError as error:
                if error.response["Error"]["Code"] != "ParameterNotFound":
                    raise


def _name(webhook: WebhookId, number: int) -> str:
    return f"{PREFIX}/{webhook}/{number}"
