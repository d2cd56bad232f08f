"""Undelivered events: one that is given up again while a user sends it again stays undelivered."""

from dataclasses import replace

from lobby.domain.events.webhook import Message, Result, Undelivered, WebhookId, body_of
from lobby.ledger.webhooks.deliveries import Deliveries
from tests.aws import Calls

WEBHOOK = WebhookId("wh_0123456789abcdef")
AT, LATER = "2026-11-29T12:00:00.000Z", "2026-12-01T12:00:00.000Z"
EVENT = Undelivered(Message(WEBHOOK, "a-1", body_of("device.claim", AT, {"id": "a-1"})), AT, Result.TIMEOUT, 8)


def test_an_event_that_was_sent_again_is_removed_once(calls: Calls) -> None:
    deliveries = Deliveries()
    deliveries.keep(EVENT)
    for _ in range(2):
        deliveries.remove(EVENT)
        assert deliveries.undelivered_count(WEBHOOK) == 0


def test_an_event_that_has_failed_again_before_its_removal_stays(calls: Calls) -> None:
    deliveries, again = Deliveries(), replace(EVENT, at=LATER, result=Result.GONE, attempts=1)
    deliveries.keep(EVENT)
    deliveries.keep(again)
    deliveries.remove(EVENT)
    assert deliveries.undelivered(WEBHOOK, 10) == [again]
    deliveries.remove(again)
    assert deliveries.undelivered_count(WEBHOOK) == 0
