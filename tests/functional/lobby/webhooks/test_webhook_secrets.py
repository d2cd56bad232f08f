"""The signing secrets of webhooks in a lobby with several Regions: stored and deleted in each of them."""

from typing import Any

import boto3
import pytest
from botocore.exceptions import ConnectTimeoutError

from lobby.aws.webhook_secrets import WebhookSecrets
from lobby.domain.events.webhook import WebhookId
from tests.aws import Calls
from tests.regions import DUBLIN, FRANKFURT, OHIO

WEBHOOK, SECRET = WebhookId("wh_0123456789abcdef"), "whsec_x"  # pragma: allowlist secret


def ssm(region: str) -> Any:
    return boto3.client("ssm", region_name=region)


def unreachable() -> Any:
    raise ConnectTimeoutError(endpoint_url=f"https://ssm.{FRANKFURT}")


def of(region: str) -> str | None:
    """Return the secret that the courier of a Region reads."""
    return WebhookSecrets(lambda: ssm(region)).get(WEBHOOK, 1)


def test_a_secret_is_stored_and_deleted_in_every_region(calls: Calls) -> None:
    secrets = WebhookSecrets(lambda: ssm(DUBLIN), [lambda: ssm(FRANKFURT), lambda: ssm(OHIO)])
    secrets.put(WEBHOOK, 1, SECRET)
    assert [of(each) for each in (DUBLIN, FRANKFURT, OHIO)] == [SECRET] * 3
    for _ in range(2):
        secrets.delete(WEBHOOK, (number for number in (1, 2)))
        assert [of(each) for each in (DUBLIN, FRANKFURT, OHIO)] == [None] * 3


def test_a_region_that_does_not_answer_is_skipped(calls: Calls) -> None:
    secrets = WebhookSecrets(lambda: ssm(DUBLIN), [unreachable, lambda: ssm(OHIO)])
    secrets.put(WEBHOOK, 1, SECRET)
    assert [of(each) for each in (DUBLIN, FRANKFURT, OHIO)] == [SECRET, None, SECRET]
    secrets.delete(WEBHOOK, [1])
    assert of(OHIO) is None


def test_a_secret_that_the_own_region_does_not_store_is_stored_nowhere(calls: Calls) -> None:
    secrets = WebhookSecrets(unreachable, [lambda: ssm(OHIO)])
    with pytest.raises(ConnectTimeoutError):
        secrets.put(WEBHOOK, 1, SECRET)
    assert of(OHIO) is None
