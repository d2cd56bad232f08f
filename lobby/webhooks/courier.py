"""Lambda: sends events to webhooks, from their queue.

Every request is recorded. A failed request is repeated after a growing wait. After the last attempt, or if the webhook
is disabled, the event is kept as undelivered. A message that cannot be read, or whose runs crash, goes to the
on-failure queue. If the process ends between the response and its record, an event is sent twice.
"""

import json
import os
import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from lobby.aws.clients import LobbyClients, at_init
from lobby.aws.metrics import EVENTS_UNDELIVERED, NAMESPACE, WEBHOOKS_DISABLED
from lobby.aws.webhook_queue import WebhookQueue, decode
from lobby.aws.webhook_secrets import WebhookSecrets
from lobby.domain.events.webhook import Delivery, Message, Result, Undelivered, Webhook, wait_after
from lobby.errors import NotFound
from lobby.home_guard import everywhere
from lobby.ledger.clock import now, timestamp
from lobby.ledger.regions.routing import Access
from lobby.ledger.webhooks.deliveries import Deliveries
from lobby.ledger.webhooks.webhook_register import Webhooks
from lobby.settings import CourierSettings, read_settings
from lobby.webhooks.sending import Outcome, Sender
from lobby.webhooks.signature import Secret, headers
from lobby.webhooks.urls import Loopback

PARALLEL: Final = 10
"""The messages of a batch are sent at the same time, so that none waits for the slow receiver of another."""
logger = Logger(service="courier")
metrics = Metrics(namespace=NAMESPACE, service="courier")


@dataclass(frozen=True)
class Courier:
    """`spread` returns a number from 0 to 1."""

    sender: Sender
    webhooks: Webhooks
    deliveries: Deliveries
    secrets: WebhookSecrets
    queue: WebhookQueue
    clock: Callable[[], datetime] = now
    spread: Callable[[], float] = random.random

    def process(self, records: list[dict[str, Any]]) -> dict[str, Any]:
        """Send the events of a batch. Return Lambda's partial batch response."""
        with ThreadPoolExecutor(PARALLEL) as pool:
            done = list(pool.map(self._finished, records))
        if metrics.metric_set:
            metrics.flush_metrics()
        failed = [record["messageId"] for record, finished in zip(records, done, strict=True) if not finished]
        return {"batchItemFailures": [{"itemIdentifier": number} for number in failed]}

    def _finished(self, record: dict[str, Any]) -> bool:
        """Return whether the message needs no further attempt."""
        try:
            message, attempt = decode(record["body"]), int(record["attributes"]["ApproximateReceiveCount"])
            return self._deliver(message, attempt, record["receiptHandle"])
        except NotFound:
            logger.info("webhook was removed", extra={"message_id": record["messageId"]})
            return True
        except Exception:  # the queue delivers it again, and finally to the on-failure queue
            logger.exception("not processed", extra={"message_id": record["messageId"]})
            return False

    def _deliver(self, message: Message, attempt: int, receipt: str) -> bool:
        webhook = self.webhooks.get(message.webhook)
        at = self.clock()
        outcome = self._outcome(webhook, message, at)
        wait, disabled = None, not webhook.is_active
        if outcome.result is Result.DELIVERED:
            self.webhooks.delivered(webhook)
        elif webhook.is_active:
            disabled = self.webhooks.failed(webhook, outcome.result, attempt)
            wait = None if disabled else wait_after(attempt, self.spread(), outcome.retry_after)
        self._record(message, attempt, outcome, at, wait)
        if disabled and webhook.is_active:
            metrics.add_metric(name=WEBHOOKS_DISABLED, unit=MetricUnit.Count, value=1)
        if wait is not None:
            self.queue.show_later(receipt, wait)
            return False
        if outcome.result is not Result.DELIVERED:
            self._give_up(message, attempt, outcome.result, at)
        return True

    def _outcome(self, webhook: Webhook, message: Message, at: datetime) -> Outcome:
        if not webhook.is_active:
            return Outcome(Result.DISABLED)
        keys = [self.secrets.get(webhook.id, number) for number in webhook.secret_numbers(timestamp(at))]
        if keys[0] is None:
            return Outcome(Result.NO_SECRET)
        body = json.dumps(message.body, separators=(",", ":")).encode()
        signed = headers(message.event, int(at.timestamp()), body, [Secret(key) for key in keys if key])
        return self.sender.send(webhook.url, body, signed)

    def _record(self, message: Message, attempt: int, outcome: Outcome, at: datetime, wait: int | None) -> None:
        next_at = None if wait is None else timestamp(at + timedelta(seconds=wait))
        delivery = Delivery(
            timestamp(at),
            message.event,
            message.type,
            attempt,
            outcome.result,
            outcome.status,
            outcome.milliseconds,
            next_at,
        )
        self.deliveries.record(message.webhook, delivery)

    def _give_up(self, message: Message, attempt: int, result: Result, at: datetime) -> None:
        self.deliveries.keep(Undelivered(message, timestamp(at), result, attempt))
        metrics.add_metric(name=EVENTS_UNDELIVERED, unit=MetricUnit.Count, value=1)
        logger.warning("undelivered", extra={"webhook": message.webhook, "event": message.event, "result": result})


@at_init
def _courier() -> Courier:
    settings, clients = read_settings(CourierSettings, os.environ), LobbyClients()
    return Courier(
        Sender(Loopback.of_environment(os.environ)),
        Webhooks(),
        Deliveries(),
        WebhookSecrets(lambda: clients.ssm),
        WebhookQueue(lambda: clients.sqs, settings.webhooks_queue),
    )


@everywhere(Access.DOOR)
def handler(event: dict[str, Any], _context: object, courier: Courier | None = None) -> dict[str, Any]:
    return (courier or _courier()).process(event["Records"])
